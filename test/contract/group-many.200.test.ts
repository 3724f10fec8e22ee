import { describe, expect, it } from 'vitest'
import { LONG, upTo, valuesOf } from '../support/group-calls.ts'
import { useGroups } from '../support/use-groups.ts'
import { until } from '../support/within.ts'

const MEMBERS = 500
const AT_ONCE = 50

const groups = useGroups()

/** Connections of this database with a transaction that is open, but for the asking one. */
async function busy(): Promise<number> {
  const [row] = await groups.server.database.query<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity where datname = current_database()
      and pid <> pg_backend_pid() and xact_start < clock_timestamp() - interval '50 ms'`,
  )
  return row!.count
}

describe('as many members as come', () => {
  it('hold no database connection while they wait, and are woken by one record each', async () => {
    await groups.topic('many', ...upTo(MEMBERS).map(() => []))
    await groups.join('many', 'many', { member_id: 'm0' })
    const members = upTo(MEMBERS).map((n) => ({ group: 'many', member_id: `m${String(n)}` }))
    for (let n = 0; n < MEMBERS; n += AT_ONCE) {
      await Promise.all(
        members
          .slice(n, n + AT_ONCE)
          .map((one) => groups.join('many', 'many', { member_id: one.member_id })),
      )
    }
    const { generation_id } = await groups.describe('many')
    const polls = members.map((one) => groups.poll(one, { generation_id, max_wait_ms: LONG }))
    await until(
      async () => (await groups.heartbeat(members[0]!)).is_current && (await busy()) === 0,
    )
    for (let n = 0; n < 5; n++) expect(await busy()).toBe(0)
    await groups.produce(
      'many',
      upTo(MEMBERS).map((value) => ({ value, partition: value })),
    )
    const values = (await Promise.all(polls)).flatMap(valuesOf)
    expect(values.sort((a, b) => Number(a) - Number(b))).toEqual(upTo(MEMBERS))
  }, 120_000)
})
