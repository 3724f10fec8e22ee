import { Counts } from './counts.ts'
import {
  ALL,
  FIELD,
  FIELDS,
  histogramOf,
  isBin,
  isMax,
  OTHER_DYNOS,
  otherOf,
  STATUSES,
  type Measured,
} from './fields.ts'
import { binOf, coarserBin, COARSEST_BITS, FINEST_BITS } from './quantiles.ts'

/** Resolution that is given up before series are: 3.1 %. */
const FEWEST_BITS_FOR_ROOM = FINEST_BITS - 2
/** Room is made down to this share, so that it is not made for each request. */
const ROOMY = 0.75

/** Tells the series that have a name from those that were displaced. */
export type IsAlive = (series: number) => boolean

/**
 * What is counted of the requests of one stretch of time: one table for all series. Its entries are bounded; where they
 * get too many it gives up, in this order, what nobody sees: series whose names were displaced; resolution down to
 * 3.1 %; the series with the fewest requests here, which become `other`; resolution down to 6.3 %.
 * Requests are never given up: paths and others, or dynos and others, always are all.
 */
export class Bucket {
  bits = FINEST_BITS
  #counts = new Counts()
  readonly #most: number
  readonly #isAlive: IsAlive

  constructor(most: number, isAlive: IsAlive) {
    this.#most = most
    this.#isAlive = isAlive
  }

  get entries(): number {
    return this.#counts.size
  }

  get bytes(): number {
    return this.#counts.bytes
  }

  add(path: number, dyno: number, one: Measured): void {
    if (this.#counts.size > this.#most) this.#makeRoom()
    this.#addTo(ALL, one)
    this.#addTo(path * FIELDS, one)
    this.#addTo(dyno * FIELDS, one)
    if (one.lag_ms < 0) return
    this.#counts.add(FIELD.lag + binOf(one.lag_ms, this.bits), 1)
    this.#counts.raise(FIELD.lag_max, one.lag_ms)
  }

  /** Counts a request without its histograms: what a counter shows. */
  addTotals(path: number, dyno: number, one: Measured): void {
    if (this.#counts.size > this.#most) this.#makeRoom()
    const counts = this.#counts
    counts.add(path * FIELDS + one.status, 1)
    counts.add(dyno * FIELDS + one.status, 1)
    counts.add(one.status, 1)
    counts.add(FIELD.bytes, one.bytes)
    if (one.code > 0) counts.add(one.code, 1)
    if (one.error) counts.add(FIELD.errors, 1)
    if (one.websocket) counts.add(FIELD.websockets, 1)
    if (one.service_ms >= 0) {
      counts.add(FIELD.service_count, 1)
      counts.add(FIELD.service_sum, one.service_ms)
    }
    if (one.connect_ms >= 0) {
      counts.add(FIELD.connect_count, 1)
      counts.add(FIELD.connect_sum, one.connect_ms)
    }
  }

  /** Adds all that another bucket has. */
  fold(other: Bucket): void {
    while (this.bits > other.bits) this.#coarsen()
    other.#counts.each((key, value) => {
      this.#put(key - (key % FIELDS), this.#fieldAt(key % FIELDS, other.bits), value)
    })
    if (this.#counts.size > this.#most) this.#makeRoom()
  }

  each(read: (series: number, field: number, value: number) => void): void {
    this.#counts.each((key, value) => read(Math.trunc(key / FIELDS), key % FIELDS, value))
  }

  /** Counts what belonged to displaced names as others'. */
  buryDead(): void {
    this.#rewrite(this.bits, this.#alive)
  }

  #addTo(base: number, one: Measured): void {
    const counts = this.#counts
    counts.add(base + one.status, 1)
    if (one.bytes > 0) counts.add(base + FIELD.bytes, one.bytes)
    if (one.code > 0) counts.add(base + one.code, 1)
    if (one.error) counts.add(base + FIELD.errors, 1)
    if (one.websocket) counts.add(base + FIELD.websockets, 1)
    if (one.service_ms >= 0) {
      counts.add(base + FIELD.service + binOf(one.service_ms, this.bits), 1)
      counts.raise(base + FIELD.service_max, one.service_ms)
    }
    if (one.connect_ms >= 0) {
      counts.add(base + FIELD.connect + binOf(one.connect_ms, this.bits), 1)
      counts.raise(base + FIELD.connect_max, one.connect_ms)
    }
  }

  #put(base: number, field: number, value: number): void {
    if (isMax(field)) this.#counts.raise(base + field, value)
    else this.#counts.add(base + field, value)
  }

  /** The field of this bucket's resolution for one of another's. */
  #fieldAt(field: number, bits: number): number {
    if (!isBin(field) || bits === this.bits) return field
    const begin = histogramOf(field)
    return begin + coarserBin(field - begin, bits, this.bits)
  }

  #rewrite(bits: number, seriesFor: (series: number) => number): void {
    const [before, from] = [this.#counts, this.bits]
    // Half as many are left, or more: tables that grow step by step leave as much garbage again.
    this.#counts = new Counts(before.size / 2)
    this.bits = bits
    before.each((key, value) => {
      const series = seriesFor(Math.trunc(key / FIELDS))
      this.#put(series * FIELDS, this.#fieldAt(key % FIELDS, from), value)
    })
  }

  readonly #alive = (series: number): number =>
    series <= OTHER_DYNOS || this.#isAlive(series) ? series : otherOf(series)

  #makeRoom(): void {
    const enough = this.#most * ROOMY
    this.#rewrite(this.bits, this.#alive)
    while (this.#counts.size > enough) {
      if (this.bits > FEWEST_BITS_FOR_ROOM) this.#coarsen()
      else {
        const light = this.#lightest(this.#counts.size - enough)
        if (light.size > 0) this.#rewrite(this.bits, (one) => (light.has(one) ? otherOf(one) : one))
        else if (this.bits > COARSEST_BITS) this.#coarsen()
        else return
      }
    }
  }

  #coarsen(): void {
    this.#rewrite(this.bits - 1, (series) => series)
  }

  /** The series with the fewest requests that have as many entries together. */
  #lightest(entries: number): Set<number> {
    const found = new Map<number, { requests: number; entries: number }>()
    this.each((series, field, value) => {
      if (series <= OTHER_DYNOS) return
      const one = found.get(series) ?? { requests: 0, entries: 0 }
      if (field < STATUSES.length) one.requests += value
      one.entries++
      found.set(series, one)
    })
    const light = new Set<number>()
    let sum = 0
    for (const [series, one] of [...found].sort(([, a], [, b]) => a.requests - b.requests)) {
      if (sum >= entries) break
      sum += one.entries
      light.add(series)
    }
    return light
  }
}
