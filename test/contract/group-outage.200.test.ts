import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GroupCalls, LONG, upTo, valuesOf } from '../support/group-calls.ts'
import { Outage } from '../support/outage.ts'
import { startServerProcess, type ServerProcess } from '../support/process.ts'
import { until } from '../support/within.ts'

let postgres: Outage
let node: ServerProcess
let groups: GroupCalls
const start = async () => {
  node = await startServerProcess({ DATABASE_URL: postgres.url, TAILRACE_LOG_LEVEL: 'silent' })
  groups = new GroupCalls(node.url)
}
beforeAll(async () => {
  postgres = await Outage.create()
  await start()
})
afterAll(async () => {
  await node.stop()
  await postgres.close()
})

/** Two members with something in hand, of sessions as long as these tests may take. */
async function reading(name: string, session_timeout_ms = 60_000) {
  await groups.topic(name, upTo(4), upTo(4))
  await groups.join(name, name, { member_id: 'a', session_timeout_ms })
  await groups.join(name, name, { member_id: 'b', session_timeout_ms })
  const { generation_id } = await groups.describe(name)
  const members = ['a', 'b'].map((member_id) => ({ group: name, member_id, generation_id }))
  for (const one of members)
    expect((await groups.poll(one, { max_records: 2 })).records).toHaveLength(2)
  return { members, generation_id }
}

/** They commit, and go on in the same generation; what was in hand may come again after a crash. */
async function expectToGoOn({ members, generation_id }: Awaited<ReturnType<typeof reading>>) {
  for (const one of members) {
    await groups.commit(one, 'delivered')
    const polled = await groups.poll(one, { generation_id })
    expect(polled.generation_id).toBe(generation_id)
    expect(valuesOf(polled).slice(-2)).toEqual([2, 3])
  }
}

const isUp = async () =>
  fetch(`${node.url}/v1/groups`).then(
    ({ ok }) => ok,
    () => false,
  )

/** When the Postgres that answers was started; undefined while none does. */
const startedAt = async () => {
  const rows = await postgres
    .query<{ at: string }>('select pg_postmaster_start_time()::text as at')
    .catch(() => [])
  return rows[0]?.at
}

describe('no rebalance is caused by', () => {
  it('a node that is killed and comes again', async () => {
    const before = await reading('node')
    await node.stop('SIGKILL')
    await start()
    await expectToGoOn(before)
  })

  it('a node that is shut down while its members wait', async () => {
    const before = await reading('drained')
    const empty = await groups.join('drained-too', 'drained', { auto_offset_reset: 'latest' })
    const waiting = groups.tryPoll(empty, { max_wait_ms: LONG }).catch(() => undefined)
    await groups.poll(empty)
    await node.stop()
    await waiting
    await start()
    await expectToGoOn(before)
  })

  it('Postgres that is killed and comes again', async () => {
    const before = await reading('postgres')
    postgres.kill()
    await until(async () => !(await isUp()))
    await until(isUp)
    await expectToGoOn(before)
  })

  it('Postgres that is killed while a caller of next has records in hand', async () => {
    await groups.topic('caller', upTo(4))
    const first = await groups.next('caller', 'caller', { max_records: 2 })
    postgres.kill()
    await until(async () => !(await isUp()))
    await until(isUp)
    const { records } = await groups.next('caller', 'caller', { ack: first.ack })
    expect(records).toMatchObject([{ value: 2 }, { value: 3 }])
    expect(await groups.committed('caller')).toEqual({ 'caller/0': 2 })
  })

  it('Postgres that is away for longer than a session', async () => {
    const before = await reading('away', 1_500)
    const old = await startedAt()
    await postgres.freeze()
    const start = performance.now()
    await until(() => performance.now() - start > 3_000)
    postgres.kill()
    postgres.thaw()
    // Backends of the old one go on for a moment without it, and may answer.
    await until(async () => ![old, undefined].includes(await startedAt()))
    await until(isUp)
    await expectToGoOn(before)
  })
})
