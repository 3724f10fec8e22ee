import { LIMITS } from '../../contract/limits.ts'
import type { Seen } from '../../drains/decoded.ts'
import type { DrainCounted } from '../../store/drains.ts'

interface Count extends Omit<
  DrainCounted,
  'frame_age_ms' | 'gap_age_ms' | 'looped_age_ms' | 'sources'
> {
  /** By performance.now(). */
  frame_at: number
  gap_at: number | null
  looped_at: number | null
  sources: Map<string, number>
}

/** What was received, added up in memory and told to the database about once a second. */
export class DrainTally {
  readonly #tell: (counted: readonly DrainCounted[]) => Promise<void>
  #counts = new Map<number, Count>()
  #timer: NodeJS.Timeout | undefined
  #telling: Promise<void> = Promise.resolve()

  constructor(tell: (counted: readonly DrainCounted[]) => Promise<void>) {
    this.#tell = tell
  }

  /** A frame that was stored. */
  received(drainId: number, frame: { id: string | undefined; bytes: number; seen: Seen }): void {
    const count = this.#countOf(drainId)
    const { seen } = frame
    const now = performance.now()
    count.frames++
    count.bytes += frame.bytes
    count.lines += seen.lines
    count.flagged += seen.flagged
    count.frame_at = now
    count.last_frame_id = frame.id ?? null
    if (seen.looped > 0) {
      count.looped += seen.looped
      count.looped_at = now
    }
    if (seen.dropped > 0) {
      count.gaps++
      count.dropped += seen.dropped
      count.gap_at = now
    }
    if (seen.newest_ms !== undefined) count.arrival_lag_ms = Math.round(Date.now() - seen.newest_ms)
    for (const source of seen.sources) addSource(count.sources, source)
  }

  /** Frames or events that had come before. */
  repeated(drainId: number, duplicates: number): void {
    this.#countOf(drainId).duplicates += duplicates
  }

  /** Tells what there is; what comes while the database is away is kept. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#telling = this.#telling.then(() => this.#tellAll())
    await this.#telling
  }

  /** Tells what there is once more. */
  async close(): Promise<void> {
    await this.flush()
    clearTimeout(this.#timer)
  }

  #countOf(drainId: number): Count {
    let count = this.#counts.get(drainId)
    if (!count) {
      count = nothing(drainId)
      this.#counts.set(drainId, count)
    }
    this.#timer ??= setTimeout(() => void this.flush(), LIMITS.drain_count_ms).unref()
    return count
  }

  async #tellAll(): Promise<void> {
    if (this.#counts.size === 0) return
    const told = this.#counts
    this.#counts = new Map()
    try {
      const now = performance.now()
      await this.#tell([...told.values()].map((count) => asCounted(count, now)))
    } catch {
      // The database is away; what was counted since is added.
      for (const [drainId, count] of told) this.#putBack(drainId, count)
    }
  }

  #putBack(drainId: number, old: Count): void {
    const count = this.#countOf(drainId)
    for (const name of SUMS) count[name] += old[name]
    count.frame_at = Math.max(count.frame_at, old.frame_at)
    count.last_frame_id ??= old.last_frame_id
    count.arrival_lag_ms ??= old.arrival_lag_ms
    count.gap_at ??= old.gap_at
    count.looped_at ??= old.looped_at
    for (const [source, frames] of old.sources) addSource(count.sources, source, frames)
  }
}

const SUMS = [
  'frames',
  'lines',
  'bytes',
  'duplicates',
  'flagged',
  'looped',
  'gaps',
  'dropped',
] as const

/** Before anything has come. */
export const NOTHING_COUNTED = {
  ...{ frames: 0, lines: 0, bytes: 0, duplicates: 0, flagged: 0, looped: 0, gaps: 0, dropped: 0 },
  ...{ last_frame_id: null, arrival_lag_ms: null },
}

function nothing(drain_id: number): Count {
  return {
    drain_id,
    ...NOTHING_COUNTED,
    frame_at: performance.now(),
    gap_at: null,
    looped_at: null,
    sources: new Map(),
  }
}

/** Bounded, as a sender may invent names. */
function addSource(sources: Map<string, number>, source: string, frames = 1): void {
  const before = sources.get(source)
  if (before === undefined && sources.size >= LIMITS.drain_sources) return
  sources.set(source, (before ?? 0) + frames)
}

function asCounted(
  { frame_at, gap_at, looped_at, sources, ...sums }: Count,
  now: number,
): DrainCounted {
  return {
    ...sums,
    frame_age_ms: now - frame_at,
    gap_age_ms: gap_at === null ? null : now - gap_at,
    looped_age_ms: looped_at === null ? null : now - looped_at,
    sources: [...sources].map(([source, frames]) => ({
      source: source.replaceAll('\0', ''),
      frames,
    })),
  }
}
