import { describe, expect, it } from 'vitest'
import { expectProblem } from '../support/answers.ts'
import { LONG, upTo, valuesOf } from '../support/group-calls.ts'
import { useGroupsOnNodes } from '../support/use-groups.ts'
import { within } from '../support/within.ts'

const each = useGroupsOnNodes()
const [groups] = each
let turn = 0
/** The next node, as behind a balancer that knows of no sessions. */
const any = () => each[turn++ % each.length]!

/** Far less than any time-out that would hide a failure. */
const SOON = 5_000

describe('what users of other proxies complain of:', () => {
  it('a consumer is bound to one node', async () => {
    await groups.topic('bound', upTo(20))
    const me = await any().join('bound', 'bound')
    const values: unknown[] = []
    for (let given = 0; given < 20; given = values.length) {
      values.push(...valuesOf(await any().pollOn(me, { max_records: 3 })))
      expect((await groups.committed('bound'))['bound/0'] ?? 0).toBe(given)
    }
    expect(values).toEqual(upTo(20))
    await any().heartbeat(me)
    await any().commit(me, 'delivered')
    expect(await any().committed('bound')).toEqual({ 'bound/0': 20 })
    await any().leave(me)
    await expectProblem(await any().tryPoll(me), 'unknown_member_id')
  })

  it('the first poll comes back empty', async () => {
    for (const n of upTo(5)) {
      const name = await groups.topic(`first-${String(n)}`, ['a'])
      const me = await any().join(name, name)
      expect(valuesOf(await any().poll(me))).toEqual(['a'])
    }
  })

  it('a poll waits its full time though there are records', async () => {
    await groups.topic('waits', ['a'], [])
    const me = await any().join('waits', 'waits')
    const polled = await within(SOON, any().poll(me, { max_wait_ms: LONG, max_records: 1_000 }))
    expect(valuesOf(polled)).toEqual(['a'])
  })

  it('an instance vanishes though it did what it was told', async () => {
    await groups.topic('vanishes', ['a'])
    const { session_timeout_ms, ...me } = await any().join('vanishes', 'vanishes')
    expect(session_timeout_ms).toBe(45_000)
    const asked = await any().join('vanishes', 'vanishes', { session_timeout_ms: 3_600_000 })
    expect(asked.session_timeout_ms).toBe(3_600_000)
    const idle = await any().join('idle', 'vanishes', { session_timeout_ms: 1_500 })
    const { generation_id } = idle
    const start = performance.now()
    while (performance.now() - start < 4_000) {
      await any().heartbeat(idle)
      await any().poll(me, { max_wait_ms: 300 })
    }
    expect(await any().heartbeat(idle)).toEqual({ generation_id, is_current: true })
    expect(valuesOf(await any().poll(idle))).toEqual(['a'])
  })

  it('a restart under the same name is refused', async () => {
    await groups.topic('restart', ['a', 'b'])
    for (const expected of ['a', 'a', 'a']) {
      const me = await any().join('restart', 'restart', { member_id: 'pod-0' })
      expect(valuesOf(await any().poll(me, { max_records: 1 }))).toEqual([expected])
    }
  })

  it('a large record stalls the group for ever', async () => {
    const large = 'x'.repeat(100_000)
    await groups.topic('large', ['a', large, 'b'])
    const me = await any().join('large', 'large')
    const values: unknown[] = []
    for (let n = 0; n < 3; n++) values.push(...valuesOf(await any().pollOn(me, { max_bytes: 1 })))
    expect(values).toEqual(['a', large, 'b'])
  })

  it('a rebalance hangs on a member that never commits', async () => {
    await groups.topic('hangs', ['a'], ['b'])
    const stuck = await any().join('hangs', 'hangs', { rebalance_timeout_ms: 1_000 })
    await any().poll(stuck)
    const me = await any().join('hangs', 'hangs')
    const some = async () => {
      for (;;) {
        const polled = await any().poll(me, { max_wait_ms: LONG })
        if (polled.records.length > 0) return polled
      }
    }
    expect((await within(SOON, some())).records).toHaveLength(1)
  })

  it('two consumers of a group block each other', async () => {
    await groups.topic('block', [], [])
    const one = await any().join('block', 'block')
    const two = await any().join('block', 'block')
    const waiting = any().poll(one, { max_wait_ms: 8_000 })
    const [partition] = two.assignment[0]!.partitions
    for (let n = 0; n < 10; n++) {
      await groups.produce('block', [{ value: n, partition: partition! }])
      const polled = await within(SOON, any().pollOn(two, { max_wait_ms: LONG }))
      expect(valuesOf(polled)).toEqual([n])
    }
    await groups.produce('block', [{ value: 'x', partition: 1 - partition! }])
    const values = valuesOf(await waiting)
    expect(values.length === 0 ? valuesOf(await any().poll(one)) : values).toEqual(['x'])
  })

  it('a record has no timestamp', async () => {
    await groups.topic('stamped', ['a'])
    const me = await any().join('stamped', 'stamped')
    const { records } = await any().poll(me)
    expect(records[0]!.timestamp).toBeGreaterThan(1_700_000_000_000)
  })
})
