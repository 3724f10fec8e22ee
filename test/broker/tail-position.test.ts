import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { placeOf } from '../../src/broker/place.ts'
import {
  formatPosition,
  looksLikePosition,
  parsePosition,
  type PartitionPosition,
} from '../../src/broker/tail-position.ts'
import { LIMITS } from '../../src/contract/limits.ts'

const topic = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9._-]{1,30}$/),
  fc.constantFrom('-1', '0', 'a.b', 'a-1', 'NaN', '__proto__', 'a'.repeat(249)),
)
const entry = fc.record({
  topic,
  partition: fc.nat(LIMITS.partitions_per_topic - 1),
  offset: fc.oneof(fc.nat(), fc.constantFrom(0, 1, Number.MAX_SAFE_INTEGER)),
})
const positions = fc.uniqueArray(entry, {
  minLength: 1,
  maxLength: 40,
  selector: (one) => placeOf(one.topic, one.partition),
})

const offsetsOf = (entries: readonly PartitionPosition[]) =>
  new Map(entries.map((one) => [placeOf(one.topic, one.partition), one.offset]))

describe('a position', () => {
  it('is read as it was written, with topics', () => {
    fc.assert(
      fc.property(positions, (entries) => {
        const text = formatPosition(entries, true)
        expect(looksLikePosition(text)).toBe(true)
        expect(parsePosition(text, undefined)).toEqual(offsetsOf(entries))
        expect([...parsePosition(text, 'other')!]).toEqual([...offsetsOf(entries)])
      }),
      { seed: 7070, numRuns: 500 },
    )
  })

  it('is read as it was written, of one topic', () => {
    fc.assert(
      fc.property(positions, topic, (entries, only) => {
        const byPartition = new Map(entries.map((one) => [one.partition, { ...one, topic: only }]))
        const own = [...byPartition.values()]
        expect(parsePosition(formatPosition(own, false), only)).toEqual(offsetsOf(own))
        expect(parsePosition(formatPosition(own, false), undefined)).toBeUndefined()
      }),
      { seed: 7070, numRuns: 500 },
    )
  })

  it('is read or refused, never anything else, whatever the text', () => {
    const text = fc
      .array(fc.constantFrom('0', '1', '9', ':', ',', '/', 'a', '-', '.', ' ', '\n', 'é', '1:2'))
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(text, (one) => {
        const offsets = parsePosition(one, 'log')
        if (!offsets) return
        expect(one).toMatch(/^[^,]+(,[^,]+)*$/)
        expect(offsets.size).toBe(one.split(',').length)
        for (const offset of offsets.values()) expect(Number.isSafeInteger(offset)).toBe(true)
      }),
      { seed: 7070, numRuns: 5000 },
    )
  })

  it('of all partitions that a topic may have can be given back', () => {
    const all = Array.from({ length: LIMITS.partitions_per_tail }, (_, partition) => ({
      topic: 'log',
      partition,
      offset: 123_456_789,
    }))
    const text = formatPosition(all, false)
    expect(text.length).toBeLessThanOrEqual(LIMITS.tail_position_chars)
    expect(parsePosition(text, 'log')).toEqual(offsetsOf(all))
  })

  it('of an empty tail is empty, and not one to begin with', () => {
    expect(formatPosition([], false)).toBe('')
    expect(parsePosition('', 'log')).toBeUndefined()
  })

  it.each([
    '0'.repeat(14_000),
    `${'a'.repeat(249)}/`.repeat(50),
    '0:1,'.repeat(3000),
    ':'.repeat(9000),
  ])('is refused without much ado, however long: %#', (text) => {
    expect(parsePosition(text, 'log')).toBeUndefined()
  })
})
