import { describe, expect, it } from 'vitest'
import { ReadAhead } from '../../../src/broker/groups/read-ahead.ts'
import type { FetchedBatches } from '../../../src/store/fetch-batches.ts'

const BOUNDS = { max_records: 10, max_bytes: 1000 }
const SOON = 1
const LATE = 60_000

/** A log whose records go up to `end`; what was read of it is remembered. */
function logOf(end: { offset: number }) {
  const reads: number[] = []
  const ahead = new ReadAhead((_, offset, { max_records }) => {
    reads.push(offset)
    if (end.offset < 0) return Promise.reject(new Error('away'))
    return Promise.resolve(batchesFrom(offset, Math.min(offset + max_records, end.offset)))
  })
  return { reads, ahead }
}

function batchesFrom(base_offset: number, next_offset: number): FetchedBatches {
  const batch = { base_offset, next_offset, appended_ms: 0, byte_length: 0, payload: '' }
  const batches = next_offset > base_offset ? [batch] : []
  return { log_start_offset: 0, high_watermark: next_offset, fetch_offset: base_offset, batches }
}

describe('reading ahead', () => {
  it('spares the read of the page that a member comes back for', async () => {
    const { reads, ahead } = logOf({ offset: 100 })
    ahead.begin(1, 10, BOUNDS, SOON)
    expect((await ahead.take(1, 10, BOUNDS))?.batches[0]?.next_offset).toBe(20)
    expect(reads).toEqual([10])
  })

  it('is done once for one page', async () => {
    const { reads, ahead } = logOf({ offset: 100 })
    ahead.begin(1, 10, BOUNDS, SOON)
    ahead.begin(1, 10, BOUNDS, SOON)
    await ahead.take(1, 10, BOUNDS)
    await ahead.take(1, 10, BOUNDS)
    expect(reads).toEqual([10, 10])
  })

  it('is not for a member that takes its time', async () => {
    const { reads, ahead } = logOf({ offset: 100 })
    ahead.begin(1, 10, BOUNDS, LATE)
    expect(reads).toEqual([])
    await ahead.take(1, 10, BOUNDS)
    expect(reads).toEqual([10])
  })

  it.each([
    ['another offset', 2, 11, BOUNDS],
    ['another partition', 1, 10, BOUNDS],
    ['a page of another size', 2, 10, { ...BOUNDS, max_records: 5 }],
  ])('is of no use for %s', async (_, partition, offset, bounds) => {
    const { reads, ahead } = logOf({ offset: 100 })
    ahead.begin(2, 10, BOUNDS, SOON)
    await ahead.take(partition, offset, bounds)
    expect(reads).toEqual([10, offset])
  })

  it('does not make a page smaller than it would be by now', async () => {
    const end = { offset: 12 }
    const { reads, ahead } = logOf(end)
    ahead.begin(1, 10, BOUNDS, SOON)
    end.offset = 30
    expect((await ahead.take(1, 10, BOUNDS))?.batches[0]?.next_offset).toBe(20)
    expect(reads).toEqual([10, 10])
  })

  it('is of use for a page that is full of bytes', async () => {
    const large = { ...batchesFrom(10, 12).batches[0]!, byte_length: 2000 }
    let reads = 0
    const ahead = new ReadAhead(() => {
      reads++
      return Promise.resolve({ ...batchesFrom(10, 12), batches: [large] })
    })
    ahead.begin(1, 10, BOUNDS, SOON)
    await ahead.take(1, 10, BOUNDS)
    expect(reads).toBe(1)
  })

  it('that failed is read anew', async () => {
    const end = { offset: -1 }
    const { ahead } = logOf(end)
    ahead.begin(1, 10, BOUNDS, SOON)
    end.offset = 30
    expect((await ahead.take(1, 10, BOUNDS))?.batches[0]?.next_offset).toBe(20)
  })

  it('is done for so many pages at a time', async () => {
    const { reads, ahead } = logOf({ offset: 1000 })
    for (let partition = 0; partition < 100; partition++) ahead.begin(partition, 10, BOUNDS, SOON)
    expect(reads).toHaveLength(16)
    await ahead.take(3, 10, BOUNDS)
    ahead.begin(50, 10, BOUNDS, SOON)
    expect(reads).toHaveLength(17)
  })
})
