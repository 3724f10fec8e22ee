import type { DrainMetrics } from '../../contract/drain-metrics.ts'
import { ALL, FIELD, isPath, OTHER_DYNOS, OTHER_PATHS, otherOf } from './fields.ts'
import { FINEST_BITS, relativeError } from './quantiles.ts'
import { Tally } from './tally.ts'
import type { Window } from './window.ts'

const MINUTE = 60_000

/** Sums of a window, by series and, of all requests, by minute. */
class Sums {
  readonly minutes = new Map<number, Tally>()
  bits = FINEST_BITS
  readonly #series = new Map<number, Tally>()
  readonly #window: Window

  constructor(window: Window, from: number, to: number) {
    this.#window = window
    for (const { at_ms, bucket } of window.between(from, to)) {
      const { bits } = bucket
      this.bits = Math.min(this.bits, bits)
      const minute = this.#minuteOf(at_ms - (at_ms % MINUTE))
      bucket.each((series, field, value) => {
        if (series === ALL) minute.take(field, value, bits)
        this.of(series).take(field, value, bits)
      })
    }
  }

  /** Of a series that has lost its name: the tally of all others. */
  of(series: number): Tally {
    let tally = this.#series.get(series)
    if (!tally) {
      const isShown = series <= OTHER_DYNOS || this.#window.isAlive(series)
      tally = isShown ? new Tally() : this.of(otherOf(series))
      this.#series.set(series, tally)
    }
    return tally
  }

  /** The series that have a name, the most frequent first, then by name. */
  named(paths: boolean): { name: string; tally: Tally }[] {
    const names = paths ? this.#window.paths : this.#window.dynos
    const found: { name: string; tally: Tally }[] = []
    for (const [series, tally] of this.#series) {
      const name = isPath(series) === paths ? names.nameOf(series) : undefined
      if (name !== undefined) found.push({ name, tally })
    }
    return found.sort((a, b) => b.tally.requests - a.tally.requests || (a.name < b.name ? -1 : 1))
  }

  #minuteOf(start: number): Tally {
    let tally = this.minutes.get(start)
    if (!tally) this.minutes.set(start, (tally = new Tally()))
    return tally
  }
}

/**
 * The requests of the last `window_ms` (at most LIMITS.metrics_window_ms) before `now_ms`, epoch ms, by the times of
 * their lines. An hour of an application with 30 paths and 100 requests/s takes 30 ms of CPU, the worst case 100; 5
 * minutes of it 10: make one for all who look at once.
 */
export function snapshotOf(window: Window, now_ms: number, window_ms: number): DrainMetrics {
  const from = window.beginOf(now_ms, window_ms)
  const sums = new Sums(window, from, now_ms)
  const all = sums.of(ALL)
  const span = now_ms - from
  return {
    window_ms,
    from,
    to: now_ms,
    ...all.measures(span),
    websockets: all.of(FIELD.websockets),
    lag_ms: all.lag(),
    late: window.late,
    ahead: window.ahead,
    relative_error: relativeError(sums.bits),
    paths: pathRows(sums, span),
    other_paths: sums.of(OTHER_PATHS).measures(span),
    dynos: dynoRows(sums, span),
    other_dynos: sums.of(OTHER_DYNOS).measures(span),
    per_minute: minuteRows(sums, from, now_ms),
  }
}

function pathRows(sums: Sums, span: number): DrainMetrics['paths'] {
  return sums.named(true).map(({ name, tally }) => ({
    ...splitPath(name),
    ...tally.measures(span),
  }))
}

/** A path's name is its method, a space, and its template. */
export function splitPath(name: string): { method: string; path: string } {
  const space = name.indexOf(' ')
  return { method: name.slice(0, space), path: name.slice(space + 1) }
}

function dynoRows(sums: Sums, span: number): DrainMetrics['dynos'] {
  return sums.named(false).map(({ name, tally }) => ({
    dyno: name === '' ? null : name,
    ...tally.measures(span),
  }))
}

function minuteRows({ minutes }: Sums, from: number, to: number): DrainMetrics['per_minute'] {
  return [...minutes]
    .sort(([a], [b]) => a - b)
    .map(([start, tally]) => ({
      minute: new Date(start).toISOString().replace('.000', ''),
      ...tally.measures(Math.min(to, start + MINUTE) - Math.max(from, start)),
    }))
}
