import { describe, expect, it } from 'vitest'
import { upTo, valuesOf } from '../support/group-calls.ts'
import { useGroups } from '../support/use-groups.ts'

const groups = useGroups()

describe('an answer of next that was lost', () => {
  it('though it gave a partition to another caller, may be asked for again', async () => {
    await groups.topic('handed', [0, 1], [2, 3])
    const first = await groups.next('handed', 'handed')
    expect(first.records).toHaveLength(4)
    const other = await groups.next('handed', 'handed')
    expect(other.records).toEqual([])
    const lost = await groups.next('handed', 'handed', { ack: first.ack })
    const again = await groups.next('handed', 'handed', { ack: first.ack })
    expect([lost.records, again.records]).toEqual([[], []])
    expect(await groups.committed('handed')).toEqual({ 'handed/0': 2, 'handed/1': 2 })
  })

  it('with records of a partition that is to go to another lets it go', async () => {
    await groups.topic('let-go', upTo(4), upTo(4))
    const first = await groups.next('let-go', 'let-go', { max_records: 2 })
    await groups.next('let-go', 'let-go', { ack: first.ack, max_records: 6 })
    const other = await groups.next('let-go', 'let-go')
    await groups.next('let-go', 'let-go', { ack: first.ack, max_records: 6 })
    const { records } = await groups.next('let-go', 'let-go', {
      ack: other.ack,
      max_wait_ms: 5_000,
    })
    const committed = await groups.committed('let-go')
    for (const { partition, offset } of records.slice(0, 1)) {
      expect(offset).toBe(committed[`let-go/${String(partition)}`] ?? 0)
    }
    expect(records.length).toBeGreaterThan(0)
  })

  it.each([1, 2, 3])('again and again loses nothing (%i)', async (seed) => {
    const name = await groups.topic(`again-${String(seed)}`, upTo(12), upTo(24, 12))
    const processed = new Set<unknown>()
    let ack: string | null = null
    for (let n = 0; processed.size < 24; n++) {
      const answer = await groups.next(name, name, { ack, max_records: 3, member_id: 'me' })
      if ((n * seed + 1) % 3 === 0) continue
      for (const value of valuesOf(answer)) processed.add(value)
      ack = answer.ack
    }
    await groups.next(name, name, { ack, member_id: 'me' })
    expect(await groups.committed(name)).toEqual({ [`${name}/0`]: 12, [`${name}/1`]: 12 })
  })

  it('of thousands of partitions can be acknowledged', async () => {
    const partitions = upTo(1_000).map((n) => [n])
    for (const name of ['wide-1', 'wide-2']) await groups.topic(name, ...partitions)
    const values: unknown[] = []
    const body = { max_records: 10_000, member_id: 'me' }
    let last = await groups.next('wide', 'wide-*', body)
    while (last.records.length > 0) {
      values.push(...valuesOf(last))
      last = await groups.next('wide', 'wide-*', { ...body, ack: last.ack })
    }
    expect(values).toHaveLength(2_000)
    expect((await groups.describe('wide')).lag).toBe(0)
  }, 60_000)
})
