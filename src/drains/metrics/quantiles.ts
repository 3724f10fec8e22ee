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

/** The smallest whole value of a bin, and how many there are. */
function rangeOf(bin: number, bits: number): { low: number; width: number } {
  const shift = Math.max(0, (bin >> bits) - 1)
  return { low: (bin - (shift << bits)) << shift, width: 2 ** shift }
}

/** What a bin's values are told as: the middle of the bin. */
export function valueOf(bin: number, bits: number): number {
  const { low, width } = rangeOf(bin, bits)
  return low + (width - 1) / 2
}

/** The bin of fewer bits that holds this one. */
export function coarserBin(bin: number, from: number, to: number): number {
  return from === to ? bin : binOf(rangeOf(bin, from).low, to)
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

  add(value: number, count = 1): void {
    this.count += count
    this.#counts.set(value, (this.#counts.get(value) ?? 0) + count)
  }

  merge(other: Quantiles): void {
    for (const [value, count] of other.#counts) this.add(value, count)
  }

  /** The values at these ranks, which ascend from 0 to 1 (nearest rank); undefined where nothing was counted. */
  at(...ranks: number[]): number[] | undefined {
    if (this.count === 0) return undefined
    const sorted = [...this.#counts].sort(([a], [b]) => a - b)
    let [index, below] = [0, sorted[0]?.[1] ?? 0]
    return ranks.map((rank) => {
      const wanted = Math.max(1, Math.ceil(rank * this.count))
      while (below < wanted && index < sorted.length - 1) below += sorted[++index]?.[1] ?? 0
      return sorted[index]?.[0] ?? 0
    })
  }
}
