import { LIMITS } from '../contract/limits.ts'
import { ProblemError } from '../contract/problem-error.ts'
import type { PartitionBounds } from '../store/fetch-batches.ts'

interface Watched {
  high_watermark: number
  wakers: Set<() => void>
  watches: number
}

/** Somebody's interest in a partition, from before they read it until they are done. */
export class Watch {
  readonly watched: Watched
  readonly #wakeups: Wakeups
  readonly #end: () => void
  #told = 0

  constructor(wakeups: Wakeups, watched: Watched, end: () => void) {
    this.#wakeups = wakeups
    this.watched = watched
    this.#end = end
  }

  /**
   * Resolves when the high watermark may have passed this offset, after `ms` where given, or on abort. News
   * is told once: who comes back and has read no further waits for newer news, so that a false hint makes
   * nobody spin.
   */
  changed(highWatermark: number, signal: AbortSignal, ms?: number): Promise<void> {
    return this.#wakeups.anyChanged([{ watch: this, high_watermark: highWatermark }], signal, ms)
  }

  /** Is there something to be told to who has read up to this offset? */
  hasNews(highWatermark: number): boolean {
    const { watched } = this
    // Told before and yet not there: it was false, and would hide what is true and lower.
    if (this.#told > highWatermark && this.#told === watched.high_watermark) {
      watched.high_watermark = highWatermark
    }
    this.tell()
    return watched.high_watermark > highWatermark
  }

  /** What there is now has been told. */
  tell(): void {
    this.#told = this.watched.high_watermark
  }

  end(): void {
    this.#end()
  }
}

/**
 * Wakes readers that wait for records. News comes from the local append after its commit, and from a poll
 * every LIMITS.poll_ms for what other nodes append. It is only ever a hint: whoever is woken reads the
 * database. A waiting reader holds no connection; all of them together cost one query a poll.
 */
export class Wakeups {
  readonly #poll: (partitionIds: readonly number[]) => Promise<PartitionBounds[]>
  readonly #watched = new Map<number, Watched>()
  #waiting = 0
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(poll: (partitionIds: readonly number[]) => Promise<PartitionBounds[]>) {
    this.#poll = poll
  }

  /** Call before the first read, so that nothing appended after it goes unseen. */
  watch(partitionId: number): Watch {
    const watched = this.#watched.get(partitionId) ?? {
      high_watermark: 0,
      wakers: new Set(),
      watches: 0,
    }
    watched.watches++
    this.#watched.set(partitionId, watched)
    return new Watch(this, watched, () => {
      if (--watched.watches === 0) this.#watched.delete(partitionId)
    })
  }

  /** Like `changed` of each, whichever comes first; however many they are, it is one who waits. */
  async anyChanged(
    waits: readonly { watch: Watch; high_watermark: number }[],
    signal: AbortSignal,
    ms?: number,
  ): Promise<void> {
    // All of them are told.
    const news = waits.filter(({ watch, high_watermark }) => watch.hasNews(high_watermark))
    if (news.length > 0 || this.#closed || signal.aborted) return
    await this.#news(
      waits.map(({ watch }) => watch.watched),
      signal,
      ms,
    )
    for (const { watch } of waits) watch.tell()
  }

  /** A partition's log now reaches this high watermark. */
  appended(partitionId: number, highWatermark: number): void {
    const watched = this.#watched.get(partitionId)
    if (!watched || highWatermark <= watched.high_watermark) return
    watched.high_watermark = highWatermark
    for (const wake of [...watched.wakers]) wake()
  }

  /** Ends all waits; those who begin one later do not wait. */
  close(): void {
    this.#closed = true
    this.#wakeAll()
  }

  get closed(): boolean {
    return this.#closed
  }

  async #news(
    watched: readonly Watched[],
    signal: AbortSignal,
    ms: number | undefined,
  ): Promise<void> {
    if (this.#waiting >= LIMITS.waiting_fetches) {
      throw new ProblemError('queue_full', 'Too many fetches are waiting on this node.', {
        retry_after_s: 1,
      })
    }
    this.#waiting++
    this.#pollSoon()
    try {
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer)
          for (const { wakers } of watched) wakers.delete(wake)
          signal.removeEventListener('abort', wake)
          resolve()
        }
        const timer = ms === undefined ? undefined : setTimeout(wake, ms)
        for (const { wakers } of watched) wakers.add(wake)
        signal.addEventListener('abort', wake)
      })
    } finally {
      this.#waiting--
    }
  }

  /** Looks at once: news may have been missed. */
  async look(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#waiting > 0 && !this.#closed) await this.#pollNow()
  }

  #wakeAll(): void {
    for (const watched of this.#watched.values()) for (const wake of [...watched.wakers]) wake()
  }

  #pollSoon(): void {
    this.#timer ??= setTimeout(() => void this.#pollNow(), LIMITS.poll_ms)
  }

  async #pollNow(): Promise<void> {
    const ids = [...this.#watched]
      .filter(([, watched]) => watched.wakers.size > 0)
      .map(([id]) => id)
    try {
      if (ids.length > 0) this.#take(ids, await this.#poll(ids))
    } catch {
      // The database is away. Waiting readers find out when their time is over, or it comes back.
    }
    this.#timer = undefined
    if (this.#waiting > 0 && !this.#closed) this.#pollSoon()
  }

  #take(ids: readonly number[], bounds: readonly PartitionBounds[]): void {
    const found = new Map(bounds.map((bound) => [bound.partition_id, bound.high_watermark]))
    for (const id of ids) {
      // A partition that is gone wakes its readers too: they find out by reading.
      const highWatermark = found.get(id)
      if (highWatermark !== undefined) this.appended(id, highWatermark)
      else for (const wake of [...(this.#watched.get(id)?.wakers ?? [])]) wake()
    }
  }
}
