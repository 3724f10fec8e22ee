import { LIMITS } from '../contract/limits.ts'
import { ProblemError } from '../contract/problem-error.ts'
import type { PartitionBounds } from '../store/fetch-batches.ts'

interface Watched {
  high_watermark: number
  wakers: Set<() => void>
  watches: number
}

/** Somebody's interest in a partition, from before they read it until they are done. */
export interface Watch {
  /** Resolves when the high watermark may have passed this offset, after `ms`, or on abort. */
  changed(highWatermark: number, ms: number, signal: AbortSignal): Promise<void>
  end(): void
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
    return {
      changed: (highWatermark, ms, signal) => this.#changed(watched, highWatermark, ms, signal),
      end: () => {
        if (--watched.watches === 0) this.#watched.delete(partitionId)
      },
    }
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

  async #changed(
    watched: Watched,
    highWatermark: number,
    ms: number,
    signal: AbortSignal,
  ): Promise<void> {
    if (watched.high_watermark > highWatermark || this.#closed || signal.aborted) return
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
          watched.wakers.delete(wake)
          signal.removeEventListener('abort', wake)
          resolve()
        }
        const timer = setTimeout(wake, ms)
        watched.wakers.add(wake)
        signal.addEventListener('abort', wake)
      })
    } finally {
      this.#waiting--
    }
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
