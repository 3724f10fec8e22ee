import { describe, expect, it } from 'vitest'
import { sizeOf, valuesOf, type Caller } from '../support/group-calls.ts'
import { useGroups } from '../support/use-groups.ts'
import { until } from '../support/within.ts'

const groups = useGroups()

const haveAll = (caller: Caller, count: number) =>
  until(async () => sizeOf((await groups.poll(caller, { max_wait_ms: 100 })).assignment) === count)

describe('a node that dies between two steps', () => {
  it('of a leave does not keep its partitions from the others', async () => {
    await groups.topic('leave', [], [])
    const gone = await groups.join('leave', 'leave')
    const other = await groups.join('leave', 'leave')
    await groups.server.database.query(
      `select tailrace.leave_group(group_id, $1, null) from tailrace.groups where name = 'leave'`,
      [gone.member_id],
    )
    await haveAll(other, 2)
  })

  it('of a join does not keep the new member waiting', async () => {
    await groups.topic('join', [], [])
    const first = await groups.join('join', 'join')
    await groups.server.database.query(
      `select tailrace.join_group('join', 'new', '{join}', 'earliest', 45000, 60000, null, 'x', 1000)`,
    )
    await haveAll(first, 1)
    await haveAll({ group: 'join', member_id: 'new' }, 1)
  })
})

describe('a group that is deleted while somebody joins', () => {
  it.each([
    ['a member', (group: string) => groups.join(group, group)],
    ['offsets', (group: string) => groups.set(group, [{ topic: group, partition: 0, offset: 1 }])],
  ])('is made anew by %s', async (what, begin) => {
    const name = await groups.topic(what.replace(' ', '-'), ['a', 'b'])
    await groups.set(name, [{ topic: name, partition: 0, offset: 2 }])
    const deleting = groups.server.database.query(
      `begin; select from tailrace.groups where name = '${name}' for update; select pg_sleep(0.5);
        select tailrace.delete_group('${name}'); commit`,
    )
    const isWaitedFor = `select from pg_stat_activity where datname = current_database() and query ~ 'pg_sleep'
      and pid <> pg_backend_pid()`
    await until(async () => (await groups.server.database.query(isWaitedFor)).length > 0)
    await begin(name)
    await deleting
    const { partitions } = await groups.describe(name)
    expect(partitions[0]!.committed).not.toBe(2)
  })
})

describe('a poll that must not be', () => {
  it('answered by anybody in between', async () => {
    await groups.topic('cached', ['a'])
    const me = await groups.join('cached', 'cached')
    const answer = await groups.tryPoll(me)
    expect(answer.headers.get('cache-control')).toContain('no-store')
  })

  it('a HEAD, which would take records along', async () => {
    await groups.topic('head', ['a'])
    const me = await groups.join('head', 'head')
    const path = `/v1/groups/head/members/${me.member_id}/records`
    const { status } = await fetch(groups.url + path, { method: 'HEAD' })
    expect(status).toBe(405)
    expect(valuesOf(await groups.poll(me))).toEqual(['a'])
  })
})
