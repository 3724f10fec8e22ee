import { describe, expect, it } from 'vitest'
import { placeOf, upTo, type Caller } from '../support/group-calls.ts'
import { useGroupsOnNodes } from '../support/use-groups.ts'

const anywhere = useGroupsOnNodes()

const RECORDS = 60
const PARTITIONS = 6

/** What was processed, and how often. */
class Processed {
  readonly count = new Map<string, number>()

  add(place: string): void {
    this.count.set(place, (this.count.get(place) ?? 0) + 1)
  }
}

/** A process that reads with so many polls, then leaves or just goes away. */
async function live(name: string, n: number, polls: number, processed: Processed): Promise<void> {
  const calls = () => anywhere[(n + Math.round(performance.now())) % 2]!
  const me: Caller = await calls().join(name, name, {
    session_timeout_ms: 1_000,
    rebalance_timeout_ms: 1_000,
  })
  let received: string | undefined
  for (let k = 0; k < polls; k++) {
    const query = { max_records: 5, max_wait_ms: 100, commit: 'previous' as const }
    const answer = await calls().tryPoll(me, { ...query, ...(received && { received }) })
    // Overtaken by the others; anything else is a failure.
    if ([404, 409].includes(answer.status)) return
    expect(answer.status, answer.ok ? '' : await answer.text()).toBe(200)
    const polled = (await answer.json()) as {
      ack: string
      records: Parameters<typeof placeOf>[0][]
    }
    for (const one of polled.records) processed.add(placeOf(one) + JSON.stringify(one))
    received = polled.ack
  }
  if (n % 2 === 0)
    await calls()
      .leave(me)
      .catch(() => undefined)
}

describe('members that come, leave and vanish on any node', () => {
  it('leave no record unprocessed', async () => {
    const [calls] = anywhere
    await calls.topic('storm', ...upTo(PARTITIONS).map(() => upTo(RECORDS)))
    const processed = new Processed()
    const lives = upTo(10).map((n) => live('storm', n, 2 + (n % 5), processed))
    await Promise.all(lives)
    const total = RECORDS * PARTITIONS
    for (let n = 0; processed.count.size < total; n++) await live('storm', n, 40, processed)
    expect(processed.count.size).toBe(total)
    const { partitions } = await calls.describe('storm')
    for (const { committed } of partitions) expect(committed).toBeLessThanOrEqual(RECORDS)
  })
})
