import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  binOf,
  BINS,
  coarserBin,
  COARSEST_BITS,
  FINEST_BITS,
  Quantiles,
  relativeError,
  valueOf,
} from '../../../src/drains/metrics/quantiles.ts'

const BITS = [6, 5, 4, 3]
const RANKS = [0, 0.01, 0.5, 0.95, 0.99, 1]
const durations = fc.array(
  fc.oneof(
    fc.nat(200),
    fc.nat(30_000),
    fc.nat(2 ** 24 - 1),
    fc.double({ min: 0, max: 5000, noNaN: true }),
  ),
  { minLength: 1, maxLength: 300 },
)

function quantilesOf(values: readonly number[], bits: number): Quantiles {
  const quantiles = new Quantiles()
  for (const value of values) quantiles.add(valueOf(binOf(value, bits), bits))
  return quantiles
}

/** Nearest rank. */
function exactly(values: readonly number[], rank: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(1, Math.ceil(rank * sorted.length)) - 1]!
}

function expectNear(found: number, exact: number, bits: number): void {
  // Half a millisecond of rounding, and the bin.
  expect(Math.abs(found - exact)).toBeLessThanOrEqual(0.5 + relativeError(bits) * (exact + 0.5))
}

describe('bins', () => {
  it.each(BITS)('of %i bits tell whole values within the promised error', (bits) => {
    for (let ms = 0; ms < 100_000; ms = ms < 5000 ? ms + 1 : ms + 37) {
      expect(Math.abs(valueOf(binOf(ms, bits), bits) - ms)).toBeLessThanOrEqual(
        relativeError(bits) * ms,
      )
    }
  })

  it.each(BITS)('of %i bits ascend without a gap', (bits) => {
    const bins = Array.from({ length: 70_000 }, (_, ms) => binOf(ms, bits))
    expect(bins[0]).toBe(0)
    expect(bins.findIndex((bin, k) => k > 0 && ![0, 1].includes(bin - bins[k - 1]!))).toBe(-1)
  })

  it('below 128 ms are exact', () => {
    for (let ms = 0; ms < 128; ms++) expect(valueOf(binOf(ms, FINEST_BITS), FINEST_BITS)).toBe(ms)
  })

  it('take what is out of range to their ends', () => {
    expect(binOf(-1, FINEST_BITS)).toBe(0)
    expect(binOf(NaN, FINEST_BITS)).toBe(BINS - 1)
    expect(binOf(1e300, FINEST_BITS)).toBe(BINS - 1)
    expect(binOf(2 ** 24 - 1, FINEST_BITS)).toBe(BINS - 1)
  })

  it('become those of fewer bits', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 24 - 1), fc.constantFrom(...BITS), (ms, bits) => {
        for (let to = bits; to >= COARSEST_BITS; to--) {
          expect(coarserBin(binOf(ms, bits), bits, to)).toBe(binOf(ms, to))
        }
      }),
      { seed: 7070, numRuns: 2000 },
    )
  })
})

describe('Quantiles', () => {
  it('of nothing are undefined', () => {
    expect(new Quantiles().at(0.5)).toBeUndefined()
  })

  it('are the nearest rank', () => {
    const quantiles = quantilesOf([10, 20, 30, 40], FINEST_BITS)
    expect(quantiles.at(0, 0.25, 0.26, 0.5, 0.75, 0.76, 1)).toEqual([10, 10, 20, 20, 30, 40, 40])
  })

  it('are within the promised error of the exact ones', () => {
    fc.assert(
      fc.property(durations, fc.constantFrom(...BITS), (values, bits) => {
        const found = quantilesOf(values, bits).at(...RANKS)!
        RANKS.forEach((rank, k) => expectNear(found[k]!, exactly(values, rank), bits))
      }),
      { seed: 7070, numRuns: 500 },
    )
  })

  it('merge to those of all values, within the error of the coarsest', () => {
    fc.assert(
      fc.property(durations, durations, fc.constantFrom(...BITS), (some, more, bits) => {
        const merged = quantilesOf(some, FINEST_BITS)
        merged.merge(quantilesOf(more, bits))
        expect(merged.count).toBe(some.length + more.length)
        const found = merged.at(...RANKS)!
        RANKS.forEach((rank, k) => expectNear(found[k]!, exactly([...some, ...more], rank), bits))
      }),
      { seed: 7070, numRuns: 500 },
    )
  })
})
