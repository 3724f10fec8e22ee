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
  readonly #rows: Named[] = []
  readonly #bySeries = new Map<number, Named>()
  readonly #cells = new Float64Array(CELLS)
  #next: number
  /** Series to be given out again. */
  #free: number[] = []
  /** No row weighs less; all may weigh more. */
  #least = 0
  /** Where the search for the lightest row goes on: there are many of the same weight. */
  #at = 0

  /** `parity` is 0 or 1: the series are the numbers of that kind. */
  constructor(capacity: number, parity: 0 | 1) {
    this.#capacity = capacity
    this.#parity = parity
    this.#next = FIRST_SERIES + parity
  }

  get size(): number {
    return this.#rows.length
  }

  /** Counts the name; its series, or undefined where it is not among the heaviest. */
  seriesOf(name: string): number | undefined {
    const known = this.#named.get(name)
    if (known) {
      known.weight++
      return known.series
    }
    if (this.#rows.length < this.#capacity) return this.#admit(this.#rows.length, name, 1)
    const cell = cellOf(name)
    const weight = (this.#cells[cell] ?? 0) + 1
    const row = weight > this.#least ? this.#lightest() : 0
    if (weight <= this.#least) {
      this.#cells[cell] = weight
      return undefined
    }
    this.#remove(row)
    return this.#admit(row, name, weight)
  }

  nameOf(series: number): string | undefined {
    return this.#bySeries.get(series)?.name
  }

  /** Are there no more series to give? Then dead ones must leave all tables, and `recycle` be called. */
  get exhausted(): boolean {
    return this.#next >= SERIES && this.#free.length === 0
  }

  /** Gives out again all series that no name has. */
  recycle(): void {
    this.#free = []
    for (let series = FIRST_SERIES + this.#parity; series < this.#next; series += 2) {
      if (!this.#bySeries.has(series)) this.#free.push(series)
    }
  }

  /** Makes all weights smaller by this factor, so that what was heavy once does not stay for ever. */
  fade(factor: number): void {
    for (const row of this.#rows) row.weight = Math.floor(row.weight * factor)
    for (let cell = 0; cell < CELLS; cell++) {
      this.#cells[cell] = Math.floor((this.#cells[cell] ?? 0) * factor)
    }
    this.#least = Math.floor(this.#least * factor)
  }

  #admit(row: number, name: string, weight: number): number {
    const series = this.#free.pop() ?? this.#next
    if (series === this.#next) this.#next += 2
    // A copy: the name may be a piece of a long line, which would be kept with it.
    const named = { name: Buffer.from(name).toString(), series, weight }
    this.#rows[row] = named
    this.#named.set(named.name, named)
    this.#bySeries.set(series, named)
    return series
  }

  #remove(row: number): void {
    const named = this.#rows[row]
    if (!named) return
    this.#named.delete(named.name)
    this.#bySeries.delete(named.series)
    this.#cells[cellOf(named.name)] = named.weight
  }

  /** A row with the least weight, which `#least` is afterwards. */
  #lightest(): number {
    let lightest = 0
    let least = Infinity
    for (let k = 0; k < this.#rows.length; k++) {
      this.#at = (this.#at + 1) % this.#rows.length
      const weight = this.#rows[this.#at]?.weight ?? Infinity
      if (weight < least) [lightest, least] = [this.#at, weight]
      if (weight <= this.#least) break
    }
    this.#least = least
    return lightest
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
