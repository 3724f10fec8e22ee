import { FIRST_SERIES, SERIES } from './fields.ts'

interface Named {
  name: string
  series: number
  weight: number
}

/** As many counters for names that have no row. */
const CELLS = 4096

/**
 * The names that come most often, each with a series of its own. Filtered Space-Saving (Homem and Carvalho, Finding
 * top-k elements in data streams, 2010): a name without a row is counted in the cell that its hash gives, together
 * with others, and displaces the lightest row once its cell weighs more. So a flood of names that come once moves
 * one row in twenty or so of them, and never a heavy one; Space-Saving alone would move a row with each.
 *
 * A displaced name's series is dead: what was counted in it now belongs to the others. Series are not used again
 * before `recycle`.
 */
export class Heaviest {
  readonly #capacity: number
  readonly #parity: 0 | 1
  readonly #named = new Map<string, Named>()
  readonly #bySeries = new Map<number, Named>()
  readonly #cells = new Float64Array(CELLS)
  readonly #free: number[] = []
  /** No row weighs less; it may weigh more. */
  #least = 0

  /** `parity` is 0 or 1: the series are the numbers of that kind. */
  constructor(capacity: number, parity: 0 | 1) {
    this.#capacity = capacity
    this.#parity = parity
    this.recycle()
  }

  get size(): number {
    return this.#named.size
  }

  /** Counts the name; its series, or undefined where it is not among the heaviest. */
  seriesOf(name: string): number | undefined {
    const known = this.#named.get(name)
    if (known) {
      known.weight++
      return known.series
    }
    if (this.#named.size < this.#capacity) return this.#admit(name, 1)
    const cell = cellOf(name)
    const weight = (this.#cells[cell] ?? 0) + 1
    if (weight > this.#least && this.#displace(weight)) return this.#admit(name, weight)
    this.#cells[cell] = weight
    return undefined
  }

  nameOf(series: number): string | undefined {
    return this.#bySeries.get(series)?.name
  }

  /** Are there no more series to give? Then dead ones must leave all tables, and `recycle` be called. */
  get exhausted(): boolean {
    return this.#free.length === 0
  }

  /** Gives out again all series that no name has. */
  recycle(): void {
    for (let series = FIRST_SERIES + this.#parity; series < SERIES; series += 2) {
      if (!this.#bySeries.has(series)) this.#free.push(series)
    }
  }

  /** Makes all weights smaller by this factor, so that what was heavy once does not stay for ever. */
  fade(factor: number): void {
    for (const named of this.#named.values()) named.weight *= factor
    this.#cells.forEach((weight, cell) => (this.#cells[cell] = weight * factor))
    this.#least *= factor
  }

  #admit(name: string, weight: number): number {
    const series = this.#free.pop() ?? 0
    // A copy: the name may be a piece of a long line, which would be kept with it.
    const named = { name: Buffer.from(name).toString(), series, weight }
    this.#named.set(named.name, named)
    this.#bySeries.set(series, named)
    return series
  }

  /** Removes the lightest row if it weighs less than this. */
  #displace(weight: number): boolean {
    let lightest: Named | undefined
    for (const named of this.#named.values()) {
      if (!lightest || named.weight < lightest.weight) lightest = named
    }
    this.#least = lightest?.weight ?? 0
    if (!lightest || lightest.weight >= weight) return false
    this.#named.delete(lightest.name)
    this.#bySeries.delete(lightest.series)
    this.#cells[cellOf(lightest.name)] = lightest.weight
    return true
  }
}

/** FNV-1a, over UTF-16 units. */
function cellOf(name: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < name.length; at++) {
    hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193)
  }
  return (hash ^ (hash >>> 15)) & (CELLS - 1)
}
