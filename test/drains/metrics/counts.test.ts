import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Counts } from '../../../src/drains/metrics/counts.ts'

const KEY = fc.oneof(
  fc.nat(50),
  fc.nat(2 ** 28 - 1),
  fc.nat(500).map((k) => k * 4096),
)
const steps = fc.array(fc.tuple(KEY, fc.nat(1000), fc.boolean()), { maxLength: 3000 })

it('counts as a Map does, in seven eighths of its slots at most', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const counts = new Counts()
      const expected = new Map<number, number>()
      for (const [key, value, max] of all) {
        const before = expected.get(key) ?? 0
        if (max) counts.raise(key, value)
        else counts.add(key, value)
        expected.set(key, max ? Math.max(before, value) : before + value)
      }
      const found = new Map<number, number>()
      counts.each((key, value) => found.set(key, value))
      expect(found).toEqual(expected)
      expect(counts.size).toBe(expected.size)
      expect(counts.bytes).toBeLessThanOrEqual(
        Math.max(32 * 12, (expected.size / 0.875) * 2 * 12 + 24),
      )
    }),
    { seed: 7070, numRuns: 200 },
  )
})
