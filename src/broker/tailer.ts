import { LIMITS } from '../contract/limits.ts'
import { ProblemError } from '../contract/problem-error.ts'
import { PROBLEMS } from '../contract/problems.ts'
import type { StoredBatch } from '../records/page.ts'
import type { FetchedBatches } from '../store/fetch-batches.ts'
import { PartitionRing } from './partition-ring.ts'
import { Backoff } from './back-off.ts'
import type { Watch } from './wakeups.ts'

/** What a reader at some offset finds: batches, that the database has them, or nothing yet. */
export type Found =
  { kind: 'batches'; batches: readonly StoredBatch[] } | { kind: 'behind' } | { kind: 'current' }

export interface TailerSource {
  watch: Watch
  /** The batches from an offset on; undefined where the partition is gone. */
  read: (offset: number) => Promise<FetchedBatches | undefined>
  /** How much a ring may hold now. */
  ringBytes: () => number
}

const BEHIND = { kind: 'behind' } as const
const CURRENT = { kind: 'current' } as const

/**
 * Reads a partition's new records once for all its readers on this node, into a ring.
 *
 *   unattached --attach(offset): a reader is at the end of the log--> attached, ring at offset
 *   attached   --news--> reads on from ring.next, wakes the readers
 *   attached   --the log no longer holds ring.next, or is gone--> unattached; readers find out by reading
 *
 * News is a hint and is only ever followed by reading the database, so the ring holds the log without a gap.
 */
export class Tailer {
  /** Called when there may be more to find. */
  readonly readers = new Set<() => void>()
  readonly #source: TailerSource
  readonly #stop = new AbortController()
  #ring: PartitionRing | undefined

  constructor(source: TailerSource) {
    this.#source = source
  }

  /** What there is at this offset, without waiting. */
  find(offset: number): Found {
    const ring = this.#ring
    if (!ring || offset < ring.start) return BEHIND
    if (offset >= ring.next) return CURRENT
    return { kind: 'batches', batches: ring.from(offset, LIMITS.tail_read_bytes) }
  }

  /** A reader has read to the end of the log, which is at this offset: what comes is read for it. */
  attach(offset: number): void {
    if (this.#ring || this.#stop.signal.aborted) return
    this.#ring = new PartitionRing(offset)
    void this.#follow(this.#ring)
  }

  close(): void {
    this.#stop.abort()
    this.#source.watch.end()
  }

  async #follow(ring: PartitionRing): Promise<void> {
    const { signal } = this.#stop
    const backoff = new Backoff()
    // News is told once, so what could not be read is remembered here.
    let unread = false
    while (this.#ring === ring) {
      try {
        if (!unread) await this.#source.watch.changed(ring.next, signal)
        if (signal.aborted) return
        unread = true
        if (!(await this.#readOn(ring))) this.#ring = undefined
        unread = false
        backoff.succeeded()
      } catch (error) {
        // While the database is away readers wait, and their heartbeats go on. Else they find out by reading.
        if (maySucceedLater(error)) await backoff.failed(signal)
        else this.#ring = undefined
      }
      for (const wake of [...this.readers]) wake()
    }
  }

  /** Reads to the end of the log; false where the log no longer continues the ring. */
  async #readOn(ring: PartitionRing): Promise<boolean> {
    for (;;) {
      const read = await this.#source.read(ring.next)
      if (!read || ring.next < read.log_start_offset || ring.next > read.high_watermark)
        return false
      for (const batch of read.batches) ring.add(batch, this.#source.ringBytes())
      if (ring.next >= read.high_watermark || this.#stop.signal.aborted) return true
      for (const wake of [...this.readers]) wake()
    }
  }
}

function maySucceedLater(error: unknown): boolean {
  return error instanceof ProblemError && PROBLEMS[error.code].retriable
}
