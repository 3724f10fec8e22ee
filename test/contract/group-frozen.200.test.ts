import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  GroupCalls,
  LONG,
  upTo,
  valuesOf,
  type Caller,
  type Polled,
} from '../support/group-calls.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { startServerProcess, type ServerProcess } from '../support/process.ts'
import { within } from '../support/within.ts'

let database: TestDatabase
let frozen: ServerProcess
let other: ServerProcess
let groups: GroupCalls
let others: GroupCalls
beforeAll(async () => {
  database = await createTestDatabase()
  const environment = { DATABASE_URL: database.url, TAILRACE_LOG_LEVEL: 'error' }
  frozen = await startServerProcess(environment)
  other = await startServerProcess(environment)
  groups = new GroupCalls(frozen.url)
  others = new GroupCalls(other.url)
})
afterAll(async () => {
  frozen.child.kill('SIGCONT')
  await Promise.all([frozen.stop(), other.stop()])
  await database.drop()
})

async function pollSome(caller: Caller): Promise<Polled> {
  for (;;) {
    const polled = await others.poll(caller, { max_wait_ms: 1_000 })
    if (polled.records.length > 0) return polled
  }
}

/** A member of the node that is frozen then, and one of another node that has its partition since. */
async function overtaken(name: string) {
  await groups.topic(name, upTo(6))
  const me = await groups.join(name, name, { session_timeout_ms: 1_000 })
  const held = await groups.poll(me, { max_records: 3 })
  const heir = await others.join(name, name)
  frozen.child.kill('SIGSTOP')
  return { me, held, heir }
}

describe('members of a node that is frozen', () => {
  it('lose their partitions to others, and none of what they hold is committed after it', async () => {
    const { me, held, heir } = await overtaken('late')
    const late = [groups.tryCommit(me, held.positions), groups.tryPoll(me, { commit: 'previous' })]
    const taken = await within(10_000, pollSome(heir))
    expect(valuesOf(taken)).toEqual(upTo(6))
    frozen.child.kill('SIGCONT')
    for (const answer of await Promise.all(late)) expect([404, 409]).toContain(answer.status)
    expect(await others.committed('late')).toEqual({ 'late/0': null })
    await others.commit(taken, 'delivered')
    expect(await others.committed('late')).toEqual({ 'late/0': 6 })
  })

  it('that waited for records are given none when it thaws', async () => {
    const { me, heir } = await overtaken('waiting')
    await others.leave({ group: 'waiting', member_id: me.member_id })
    const waiting = groups.tryPoll(me, { max_wait_ms: LONG })
    await within(10_000, pollSome(heir))
    await others.produce('waiting', [{ value: 'news' }])
    frozen.child.kill('SIGCONT')
    expect((await within(10_000, waiting)).status).toBe(404)
    expect(valuesOf(await others.pollOn(heir, { max_wait_ms: LONG }))).toEqual(['news'])
  })
})
