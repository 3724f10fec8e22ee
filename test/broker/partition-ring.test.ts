import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LogGap, PartitionRing } from '../../src/broker/partition-ring.ts'
import type { StoredBatch } from '../../src/records/page.ts'

/** A batch from one offset to before another, of so many bytes. */
function batch(base_offset: number, next_offset: number, byte_length = 10): StoredBatch {
  return { base_offset, next_offset, byte_length, appended_ms: 0, payload: '' }
}

const bytesOf = (batches: readonly StoredBatch[]) =>
  batches.reduce((sum, { byte_length }) => sum + byte_length, 0)

describe('a ring', () => {
  it('is empty at first', () => {
    const ring = new PartitionRing(7)
    expect([ring.start, ring.next]).toEqual([7, 7])
  })

  it('takes batches that continue it', () => {
    const ring = new PartitionRing(7)
    ring.add(batch(7, 9), 100)
    ring.add(batch(9, 10), 100)
    expect([ring.start, ring.next]).toEqual([7, 10])
  })

  it('may begin inside a batch', () => {
    const ring = new PartitionRing(7)
    ring.add(batch(5, 9), 100)
    expect([ring.start, ring.next]).toEqual([7, 9])
    expect(ring.from(8, 100)).toEqual([batch(5, 9)])
  })

  it.each([
    ['leaves a gap', batch(10, 11)],
    ['is there already', batch(7, 9)],
    ['overlaps', batch(8, 10)],
    ['ends where it begins', batch(9, 9)],
    ['lies before', batch(1, 3)],
  ])('refuses a batch that %s, and stays as it was', (_, wrong) => {
    const ring = new PartitionRing(7)
    ring.add(batch(7, 9), 100)
    expect(() => ring.add(wrong, 100)).toThrow(LogGap)
    expect([ring.start, ring.next]).toEqual([7, 9])
    expect(ring.from(7, 100)).toEqual([batch(7, 9)])
  })

  it.each([
    ['leaves a gap', batch(8, 9)],
    ['lies before', batch(3, 7)],
  ])('that is empty refuses a batch that %s', (_, wrong) => {
    expect(() => new PartitionRing(7).add(wrong, 100)).toThrow(LogGap)
  })

  it('keeps the last batch, however large', () => {
    const ring = new PartitionRing(0)
    ring.add(batch(0, 1), 5)
    ring.add(batch(1, 2, 1000), 5)
    expect([ring.start, ring.next]).toEqual([1, 2])
    expect(ring.from(1, 1)).toEqual([batch(1, 2, 1000)])
  })

  it('gives up what no longer fits when its bound is lowered', () => {
    const ring = new PartitionRing(0)
    for (let k = 0; k < 10; k++) ring.add(batch(k, k + 1), 1000)
    expect(ring.start).toBe(0)
    ring.add(batch(10, 11), 30)
    expect([ring.start, ring.next]).toEqual([8, 11])
  })
})

it('holds the newest batches that fit, as an array would', () => {
  const batches = fc.array(
    fc.record({ records: fc.integer({ min: 1, max: 5 }), bytes: fc.integer({ min: 1, max: 50 }) }),
    { maxLength: 40 },
  )
  const bounds = fc.record({
    start: fc.nat(100),
    inside: fc.nat(3),
    held: fc.integer({ min: 1, max: 200 }),
    asked: fc.integer({ min: 1, max: 200 }),
  })
  fc.assert(
    fc.property(batches, bounds, (sizes, { start, inside, held, asked }) => {
      const ring = new PartitionRing(start)
      let kept: StoredBatch[] = []
      let next = Math.max(0, start - inside)
      for (const { records, bytes } of sizes) {
        // Only a batch that reaches past where the ring begins can continue it.
        const to = kept.length === 0 ? Math.max(next + records, start + 1) : next + records
        const one = batch(next, to, bytes)
        next = to
        ring.add(one, held)
        kept.push(one)
        while (kept.length > 1 && bytesOf(kept) > held) kept = kept.slice(1)
        const first = Math.max(start, kept[0]!.base_offset)
        expect([ring.start, ring.next]).toEqual([first, to])
        for (let offset = ring.start; offset < ring.next; offset++) {
          const rest = kept.filter(({ next_offset }) => next_offset > offset)
          const count = rest.findIndex((_, k) => bytesOf(rest.slice(0, k + 1)) >= asked) + 1
          expect(ring.from(offset, asked)).toEqual(count === 0 ? rest : rest.slice(0, count))
        }
      }
    }),
    { seed: 7070, numRuns: 300 },
  )
})
