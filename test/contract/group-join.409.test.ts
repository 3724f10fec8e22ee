import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../src/contract/limits.ts'
import { expectProblem } from '../support/answers.ts'
import { at, upTo } from '../support/group-calls.ts'
import { useGroups } from '../support/use-groups.ts'

const groups = useGroups()

describe('joining with another assignor than the others', () => {
  it('is refused, and the group goes on as it was', async () => {
    await groups.topic('agreed', ['a'])
    const first = await groups.join('agreed', 'agreed', { assignor: 'range' })
    const answer = await groups.tryJoin('agreed', 'agreed', { assignor: 'round_robin' })
    await expectProblem(answer, 'inconsistent_group_protocol', { written: 'no' })
    const { generation_id } = first
    expect(await groups.poll(first, { generation_id })).toMatchObject({ generation_id })
    expect(await groups.describe('agreed')).toMatchObject({ assignor: 'range', members: [{}] })
  })

  it('is not when none is named', async () => {
    await groups.topic('unnamed', [], [])
    await groups.join('unnamed', 'unnamed', { assignor: 'range', member_id: 'a' })
    const second = await groups.join('unnamed', 'unnamed', { member_id: 'b' })
    expect(second.assignment).toEqual([{ topic: 'unnamed', partitions: [1] }])
  })

  it('is not for the only member, nor for the first one after all have left', async () => {
    await groups.topic('alone', ['a'])
    const body = { member_id: 'me' }
    await groups.join('alone', 'alone', { ...body, assignor: 'range' })
    const me = await groups.join('alone', 'alone', { ...body, assignor: 'round_robin' })
    await groups.leave(me)
    await groups.join('alone', 'alone', { assignor: 'cooperative_sticky' })
    expect((await groups.describe('alone')).assignor).toBe('cooperative_sticky')
  })

  it('is not for next, which takes the group’s own', async () => {
    await groups.topic('mixed', ['a', 'b'], ['c'])
    await groups.join('mixed', 'mixed', { assignor: 'range', member_id: 'a' })
    const { records } = await groups.next('mixed', 'mixed', { member_id: 'b' })
    expect(records).toMatchObject([{ value: 'c' }])
  })
})

describe('a group with as many members as it may have', () => {
  it('has room again when sessions are over, though nobody looks after it any more', async () => {
    await groups.topic('dead', ['a'])
    await groups.set('dead', [at('dead', 0, 0)])
    await groups.server.database.query(
      `insert into tailrace.group_members (group_id, member_id, topics, auto_offset_reset, session_timeout_ms,
          rebalance_timeout_ms, joined_generation, joined_at, seen_at, lease_until)
        select group_id, 'dead' || n, '{dead}', 'earliest', 1000, 1000, 0, now(), now() - interval '1 hour',
          now() - interval '1 hour'
        from tailrace.groups, generate_series(1, 1000) n where name = 'dead'`,
    )
    expect((await groups.join('dead', 'dead')).assignment).toHaveLength(1)
    expect((await groups.describe('dead')).members).toHaveLength(1)
  })

  it('takes no more until one leaves, but those it has may come again', async () => {
    await groups.topic('full', ['a'])
    const names = upTo(LIMITS.members_per_group).map((n) => `m${String(n)}`)
    await groups.join('full', 'full', { member_id: 'm0' })
    // The others as rows: a thousand joins take a minute.
    await groups.server.database.query(
      `insert into tailrace.group_members select m.group_id, x, m.topics, m.auto_offset_reset, m.session_timeout_ms,
          m.rebalance_timeout_ms, m.joined_generation, m.client, m.joined_at, m.seen_at, m.lease_until
        from tailrace.group_members m join tailrace.groups g using (group_id), unnest($1::text[]) x
        where g.name = 'full' and x <> 'm0'`,
      [names],
    )
    const refused = await groups.tryJoin('full', 'full')
    await expectProblem(refused, 'group_max_size_reached', { written: 'no' })
    await groups.join('full', 'full', { member_id: 'm7' })
    await groups.leave({ group: 'full', member_id: 'm9' })
    expect((await groups.join('full', 'full')).assignment).toEqual([])
  })
})
