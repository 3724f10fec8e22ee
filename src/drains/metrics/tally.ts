import type { Latency, Measures } from '../../contract/drain-metrics.ts'
import { FIELD, isBin, STATUSES } from './fields.ts'
import { BINS, Quantiles, valueOf } from './quantiles.ts'

/** Percentiles are rounded to whole ms, which stays within their error. */
const P50_95_99 = [0.5, 0.95, 0.99]

/** The sum of one series over several buckets. */
export class Tally {
  requests = 0
  readonly #fields = new Map<number, number>()
  readonly #histograms = [new Quantiles(), new Quantiles(), new Quantiles()] as const

  /** Adds what a bucket of this resolution has for a field. */
  take(field: number, value: number, bits: number): void {
    if (isBin(field)) {
      const place = field - FIELD.service
      const histogram = this.#histograms[Math.trunc(place / BINS)]
      histogram?.add(valueOf(place % BINS, bits), value)
      return
    }
    if (field < STATUSES.length) this.requests += value
    const before = this.#fields.get(field) ?? 0
    const isMax = field >= FIELD.service_max && field <= FIELD.lag_max
    this.#fields.set(field, isMax ? Math.max(before, value) : before + value)
  }

  of(field: number): number {
    return this.#fields.get(field) ?? 0
  }

  measures(span_ms: number): Measures {
    return {
      requests: this.requests,
      requests_per_s: span_ms > 0 ? round((this.requests * 1000) / span_ms) : 0,
      statuses: Object.fromEntries(
        STATUSES.map((name, field) => [name, this.of(field)]),
      ) as Measures['statuses'],
      errors: this.of(FIELD.errors),
      service_ms: latency(this.#histograms[0], this.of(FIELD.service_max)),
      connect_ms: latency(this.#histograms[1], this.of(FIELD.connect_max)),
      bytes: this.of(FIELD.bytes),
      codes: this.codes(),
    }
  }

  lag(): { p95: number; max: number } | null {
    const found = percentiles(this.#histograms[2], this.of(FIELD.lag_max), [0.95])
    return found ? { p95: found[0] ?? 0, max: this.of(FIELD.lag_max) } : null
  }

  /** By name, in the order of names. */
  codes(): Record<string, number> {
    const found: [string, number][] = []
    for (let field: number = FIELD.codes; field <= FIELD.other_codes; field++) {
      const count = this.#fields.get(field)
      if (count !== undefined) found.push([codeName(field), count])
    }
    return Object.fromEntries(found)
  }
}

function codeName(field: number): string {
  if (field === FIELD.other_codes) return 'other'
  return `H${String(field - FIELD.codes).padStart(2, '0')}`
}

const round = (number: number): number => Math.round(number * 1000) / 1000

function latency(histogram: Quantiles, max: number): Latency {
  const found = percentiles(histogram, max, P50_95_99)
  if (!found) return null
  const [p50 = 0, p95 = 0, p99 = 0] = found
  return { p50, p95, p99, max }
}

/** None is above the largest value, and a rank that is the last one's is that. */
function percentiles(histogram: Quantiles, max: number, ranks: number[]): number[] | undefined {
  return histogram
    .at(...ranks)
    ?.map((value, k) =>
      Math.ceil((ranks[k] ?? 0) * histogram.count) === histogram.count
        ? max
        : Math.min(Math.round(value), max),
    )
}
