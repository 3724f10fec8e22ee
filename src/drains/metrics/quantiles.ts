/**
 * A log-linear histogram, as HdrHistogram's (G. Tene, hdrhistogram.org): each power of two is cut into 2^bits equal
 * bins, and below 2^(bits+1) a bin is one millisecond. A value is told within 2^-(bits+1) of itself, and within the half
 * millisecond it is rounded by: 0.8 % with 6 bits, 1.6 % with 5, 3.1 % with 4, 6.3 % with 3.
 *
 * By hand, because bins must be numbers that fit into the one table a time bucket has (counts.ts): a histogram object of
 * a library for each path, dyno and second would cost more than what it counts. A bin of fewer bits is a union of
 * bins of more, so resolution can be given up later.
 */
export const FINEST_BITS = 6
export const COARSEST_BITS = 3
/** Longer is counted as this, 4.6 hours; the largest value is kept beside the bins. */
const MOST_MS = 2 ** 24 - 1
/** Bins of the finest histogram. */
export const BINS = binOf(MOST_MS, FINEST_BITS) + 1

/** The bin of a duration in ms, from 0; a negative one counts as 0. */
export function binOf(ms: number, bits: number): number {
  const whole = ms < MOST_MS ? (ms > 0 ? Math.round(ms) : 0) : MOST_MS
  const shift = Math.max(0, 31 - Math.clz32(whole) - bits)
  return (shift << bits) + (whole >> shift)
}

const shiftOf = (bin: number, bits: number): number => Math.max(0, (bin >> bits) - 1)

/** The smallest whole value of a bin. */
function lowestOf(bin: number, bits: number): number {
  const shift = shiftOf(bin, bits)
  return (bin - (shift << bits)) << shift
}

/** What a bin's values are told as: the middle of the bin. */
export function valueOf(bin: number, bits: number): number {
  return lowestOf(bin, bits) + ((1 << shiftOf(bin, bits)) - 1) / 2
}

/** The bin of fewer bits that holds this one. */
export function coarserBin(bin: number, from: number, to: number): number {
  return from === to ? bin : binOf(lowestOf(bin, from), to)
}

/** How far a told value may be from the real one, as a share of it. */
export const relativeError = (bits: number): number => 2 ** -(bits + 1)

/**
 * Values told by their bins, however fine, with how often they came. Merging histograms of different resolution stays
 * within the error of the coarsest: if every value is off by at most that factor, so is each order statistic.
 */
export class Quantiles {
  count = 0
  readonly #counts = new Map<number, number>()

  /** `value` is a whole number of halves: what valueOf gives, or whole ms. */
  add(value: number, count = 1): void {
    this.count += count
    // Doubled it is a small integer, which a Map finds much faster than a fraction.
    const key = (value * 2) | 0
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + count)
  }

  merge(other: Quantiles): void {
    for (const [key, count] of other.#counts) this.add(key / 2, count)
  }

  /** The values at these ranks, which ascend from 0 to 1 (nearest rank); undefined where nothing was counted. */
  at(...ranks: number[]): number[] | undefined {
    if (this.count === 0) return undefined
    const sorted = [...this.#counts].sort(([a], [b]) => a - b)
    let [index, below] = [0, sorted[0]?.[1] ?? 0]
    return ranks.map((rank) => {
      const wanted = Math.max(1, Math.ceil(rank * this.count))
      while (below < wanted && index < sorted.length - 1) below += sorted[++index]?.[1] ?? 0
      return (sorted[index]?.[0] ?? 0) / 2
    })
  }
}
