import type { DrainMetrics } from '../../contract/drain-metrics.ts'
import { ALL, FIELD, isPath, OTHER_DYNOS, OTHER_PATHS, otherOf } from './fields.ts'
import { FINEST_BITS, relativeError } from './quantiles.ts'
import { Tally } from './tally.ts'
import type { Window } from './window.ts'

const MINUTE = 60_000

/** Sums of a window, by series and, of all requests, by minute. */
class Sums {
  readonly series = new Map<number, Tally>()
  readonly minutes = new Map<number, Tally>()
  bits = FINEST_BITS

  constructor(window: Window, from: number, to: number) {
    for (const { at_ms, bucket } of window.between(from, to)) {
      const { bits } = bucket
      this.bits = Math.min(this.bits, bits)
      const minute = tallyOf(this.minutes, at_ms - (at_ms % MINUTE))
      bucket.each((series, field, value) => {
        if (series === ALL) minute.take(field, value, bits)
        const shown = series <= OTHER_DYNOS || window.isAlive(series) ? series : otherOf(series)
        tallyOf(this.series, shown).take(field, value, bits)
      })
    }
  }

  of(series: number): Tally {
    return tallyOf(this.series, series)
  }
}

function tallyOf(tallies: Map<number, Tally>, key: number): Tally {
  let tally = tallies.get(key)
  if (!tally) tallies.set(key, (tally = new Tally()))
  return tally
}

/**
 * The requests of the last `window_ms` (at most LIMITS.metrics_window_ms) before `now_ms`, epoch ms, by the times of
 * their lines. Takes 2 ms for an ordinary application and an hour, 50 at worst: make one for all who look at once.
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
    paths: pathRows(window, sums, span),
    other_paths: sums.of(OTHER_PATHS).measures(span),
    dynos: dynoRows(window, sums, span),
    other_dynos: sums.of(OTHER_DYNOS).measures(span),
    per_minute: minuteRows(sums, from, now_ms),
  }
}

/** The series of a kind that have a name, the most frequent first, then by name. */
function named(window: Window, sums: Sums, paths: boolean): { name: string; tally: Tally }[] {
  const names = paths ? window.paths : window.dynos
  return [...sums.series]
    .filter(([series]) => series > OTHER_DYNOS && isPath(series) === paths)
    .map(([series, tally]) => ({ name: names.nameOf(series) ?? '', tally }))
    .sort((a, b) => b.tally.requests - a.tally.requests || (a.name < b.name ? -1 : 1))
}

function pathRows(window: Window, sums: Sums, span: number): DrainMetrics['paths'] {
  return named(window, sums, true).map(({ name, tally }) => ({
    ...splitPath(name),
    ...tally.measures(span),
  }))
}

/** A path's name is its method, a space, and its template. */
export function splitPath(name: string): { method: string; path: string } {
  const space = name.indexOf(' ')
  return { method: name.slice(0, space), path: name.slice(space + 1) }
}

function dynoRows(window: Window, sums: Sums, span: number): DrainMetrics['dynos'] {
  return named(window, sums, false).map(({ name, tally }) => ({
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
