import { LIMITS } from '../../contract/limits.ts'
import { Bucket } from './bucket.ts'
import { measure, OTHER_DYNOS, OTHER_PATHS, isPath, type Measured } from './fields.ts'
import { Heaviest } from './heaviest.ts'
import { pathTemplate } from './path-template.ts'
import type { RequestSeen } from './request-seen.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND

/** Buckets of one width, and how old what they hold may be. */
interface Level {
  width_ms: number
  held_ms: number
  /** Entries of one bucket: see Bucket. */
  most: number
  /** From when on it holds what there is: whole buckets of the next level lie before. */
  horizon_ms: number
  buckets: Map<number, Bucket>
}

/**
 * The last minute by the second, ten minutes by ten seconds, the hour by the minute. Each request is in one bucket;
 * what gets older is folded into the next level. In the worst case, with as many paths, dynos and different durations
 * as bring it most, that is 80 tables of 48 KB, 61 and 52 of 96 KB: 15 MB. An application with 30 paths, 10 dynos
 * and 100 requests/s takes 6 MB; a million requests of as many paths and dynos within an hour take 10.
 */
const LEVELS = [
  { width_ms: SECOND, held_ms: MINUTE, most: 3_500 },
  { width_ms: 10 * SECOND, held_ms: 10 * MINUTE, most: 7_000 },
  { width_ms: MINUTE, held_ms: LIMITS.metrics_window_ms, most: 7_000 },
] as const
/** Since the beginning; only numbers, no histograms: 200 paths and 500 dynos have 6 statuses each. */
const MOST_SINCE = 14_000
/** Weights of names halve in ten minutes: a deploy brings other paths, and other dynos on Fir. */
const FADE_PER_MINUTE = 0.5 ** 0.1

const DYNO_CHARS = 64
const NOT_IN_DYNOS = /[^\w.:-]/g

const floor = (ms: number, width: number): number => Math.floor(ms / width) * width

/**
 * What a drain's requests were in the last hour, by the time of their lines, however late they came and in whatever
 * order. Time is that of the latest arrival.
 */
export class Window {
  /** Counted neither here nor there: lines that came over an hour after their time, or before it. */
  late = 0
  ahead = 0
  /** All requests since the beginning, and the sums of their durations. */
  readonly since: Bucket
  readonly paths = new Heaviest(LIMITS.metrics_paths, 0)
  readonly dynos = new Heaviest(LIMITS.metrics_dynos, 1)
  readonly #levels: readonly Level[]
  #clock = 0
  #faded = 0

  constructor() {
    this.#levels = LEVELS.map((level) => ({
      ...level,
      horizon_ms: 0,
      buckets: new Map<number, Bucket>(),
    }))
    this.since = new Bucket(MOST_SINCE, this.isAlive)
  }

  /** How many numbers are held, and in how many bytes; both are bounded. */
  get size(): { entries: number; bytes: number; names: number } {
    let [entries, bytes] = [0, 0]
    for (const bucket of this.#all()) {
      entries += bucket.entries
      bytes += bucket.bytes
    }
    return { entries, bytes, names: this.paths.size + this.dynos.size }
  }

  /** Does a path, or a dyno, have this series? */
  readonly isAlive = (series: number): boolean =>
    (isPath(series) ? this.paths : this.dynos).nameOf(series) !== undefined

  /** Counts a request whose line arrived at this time, epoch ms. */
  add(seen: RequestSeen, arrived_ms: number): void {
    const at_ms = seen.at_ms ?? arrived_ms
    if (arrived_ms - at_ms > LIMITS.metrics_window_ms) {
      this.late++
      return
    }
    if (at_ms - arrived_ms > LIMITS.metrics_ahead_ms) {
      this.ahead++
      return
    }
    if (arrived_ms > this.#clock) this.#advance(arrived_ms)
    if (this.paths.exhausted || this.dynos.exhausted) this.#recycle()
    this.#count(at_ms, seen, measure(seen, arrived_ms))
  }

  /** The buckets that begin in [from, to). */
  *between(from: number, to: number): Generator<{ at_ms: number; bucket: Bucket }> {
    for (const { buckets } of this.#levels) {
      for (const [at_ms, bucket] of buckets)
        if (at_ms >= from && at_ms < to) yield { at_ms, bucket }
    }
  }

  /** Where a window of this length that ends now begins: with the first whole bucket inside it. */
  beginOf(now_ms: number, window_ms: number): number {
    const level = this.#levels.find(({ held_ms }) => window_ms <= held_ms) ?? this.#levels.at(-1)
    const width = level?.width_ms ?? MINUTE
    return floor(now_ms - window_ms + width - 1, width)
  }

  #count(at_ms: number, seen: RequestSeen, one: Measured): void {
    const path = this.paths.seriesOf(`${seen.method} ${pathTemplate(seen.path)}`) ?? OTHER_PATHS
    const dyno = this.dynos.seriesOf(dynoName(seen.dyno)) ?? OTHER_DYNOS
    this.#bucketAt(at_ms)?.add(path, dyno, one)
    this.since.addTotals(path, dyno, one)
  }

  /** The bucket of a time; undefined where that is no longer held. */
  #bucketAt(at_ms: number): Bucket | undefined {
    const level = this.#levels.find(({ horizon_ms }) => at_ms >= horizon_ms)
    if (!level) return undefined
    const start = floor(at_ms, level.width_ms)
    let bucket = level.buckets.get(start)
    if (!bucket) level.buckets.set(start, (bucket = new Bucket(level.most, this.isAlive)))
    return bucket
  }

  #advance(clock: number): void {
    const ticked = floor(clock, SECOND) > this.#clock
    this.#clock = clock
    if (!ticked) return
    this.#levels.forEach((level, k) => {
      const { width_ms } = this.#levels[k + 1] ?? level
      level.horizon_ms = floor(clock - level.held_ms, width_ms)
    })
    for (const level of this.#levels) this.#foldOld(level)
    for (; this.#faded < floor(clock, MINUTE); this.#faded += MINUTE) this.#fade(clock)
  }

  #foldOld(level: Level): void {
    for (const [start, bucket] of level.buckets) {
      if (start >= level.horizon_ms) continue
      level.buckets.delete(start)
      this.#bucketAt(start)?.fold(bucket)
    }
  }

  #fade(clock: number): void {
    // After two hours of silence nothing weighs anything any more.
    this.#faded = Math.max(this.#faded, floor(clock, MINUTE) - 120 * MINUTE)
    this.paths.fade(FADE_PER_MINUTE)
    this.dynos.fade(FADE_PER_MINUTE)
  }

  #recycle(): void {
    for (const bucket of this.#all()) bucket.buryDead()
    this.paths.recycle()
    this.dynos.recycle()
  }

  *#all(): Generator<Bucket> {
    yield this.since
    for (const { buckets } of this.#levels) yield* buckets.values()
  }
}

/** Heroku's are letters, digits, dots and dashes; the name of the row for all others, `(other)`, is none. */
function dynoName(dyno: string): string {
  return dyno.slice(0, DYNO_CHARS).replace(NOT_IN_DYNOS, '_')
}
