import { LIMITS } from '../contract/limits.ts'
import { ProblemError } from '../contract/problem-error.ts'
import { appendBatches, appendFlush, type LockWait } from '../store/append-batches.ts'
import { poolOf, type StorePools } from '../store/pool.ts'
import { isLockTimeout, isUnavailable, mayTryAgain, writtenAfter } from '../store/sqlstate.ts'
import { ReadingTurns } from './reading-turns.ts'
import { FlushPlan, lockedBy, type AppendRequest, type AppendResult } from './flush-plan.ts'

/** Thrown where a partition is gone; the caller looks its topic up again. */
export class PartitionGone extends Error {}

interface Pending {
  request: AppendRequest
  /** When it came, by performance.now(). */
  since: number
  resolve: (result: AppendResult) => void
  reject: (error: unknown) => void
}

/** What became of one flush. */
type Flushed =
  | { kind: 'written'; results: Map<AppendRequest, AppendResult> }
  | { kind: 'busy' | 'gone'; partition_ids: Set<number> }

/** Tries of a flush that another one got in the way of; each begins by reading the tail again. */
const FLUSH_TRIES = 5

/**
 * Group commit: requests queue, one flush is in flight, what arrives meanwhile goes into the next.
 *
 *   queued --flush--> committed            the promise resolves: the records are durable
 *     |          \--> failed               rejected, with what is known of `written`
 *     |-- a partition is locked by another session --> waiting, on its own connection
 *                                             |--> committed, or partition_busy after lock_wait_ms
 *
 * so that one locked partition stops nobody else. While a partition is waited for, later requests for it
 * join the wait, as otherwise they would overtake.
 */
export class AppendQueue {
  readonly #pools: StorePools
  readonly #appended: (partitionId: number, highWatermark: number) => void
  #queue: Pending[] = []
  #flushing = false
  #bytes = 0
  readonly #waiting = new Map<number, Pending[]>()
  readonly #turns = new ReadingTurns()
  #idle: (() => void)[] = []
  #open = 0

  constructor(pools: StorePools, appended: (partitionId: number, highWatermark: number) => void) {
    this.#pools = pools
    this.#appended = appended
  }

  /** Resolves when a body of this size may be read into records, synchronously. Small ones need not ask. */
  readingTurn(bytes: number): Promise<void> {
    this.#requireRoom(this.#turns.bytes + bytes)
    return this.#turns.next(bytes)
  }

  #requireRoom(bytes: number): void {
    if (this.#bytes === 0 || this.#bytes + bytes <= LIMITS.queue_bytes) return
    throw new ProblemError(
      'queue_full',
      'Too many records are waiting to be written on this node.',
      {
        written: 'no',
        retry_after_s: 1,
      },
    )
  }

  /** Resolves once the records are durable; see AppendResult for what else may have been decided. */
  append(request: AppendRequest): Promise<AppendResult> {
    this.#requireRoom(request.bytes)
    this.#bytes += request.bytes
    this.#open++
    return new Promise<AppendResult>((resolve, reject) => {
      this.#queue.push({ request, since: performance.now(), resolve, reject })
      // Not at once: requests that were read from sockets in the same turn share the flush.
      this.#startFlushing()
    })
  }

  #startFlushing(): void {
    if (this.#flushing) return
    this.#flushing = true
    setImmediate(() => void this.#flushAll())
  }

  /** Tells a request's caller what became of it; each is told once. */
  #finish(pending: Pending, result: AppendResult | { problem: unknown }): void {
    this.#bytes -= pending.request.bytes
    if ('problem' in result) pending.reject(result.problem)
    else pending.resolve(result)
    if (--this.#open === 0) for (const wake of this.#idle.splice(0)) wake()
  }

  /** Resolves when nothing is queued or in flight. */
  async drained(): Promise<void> {
    if (this.#open > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  async #flushAll(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#joinWaits(this.#take())
      if (batch.length > 0) await this.#flush(batch)
    }
    this.#flushing = false
  }

  /** The next requests, up to flush_bytes. */
  #take(): Pending[] {
    let bytes = 0
    let count = 0
    for (const { request } of this.#queue) {
      bytes += request.bytes
      if (count > 0 && bytes > LIMITS.flush_bytes) break
      count++
    }
    const taken = this.#queue
    this.#queue = count === taken.length ? [] : taken.slice(count)
    return count === taken.length ? taken : taken.slice(0, count)
  }

  async #flush(batch: Pending[]): Promise<void> {
    let rest = batch
    while (rest.length > 0) {
      const flushed = await this.#tryFlush(rest)
      if (!flushed) return
      if (flushed.kind === 'written') {
        this.#settle(rest, flushed.results)
        return
      }
      if (flushed.kind === 'gone') {
        rest = this.#rejectGone(rest, flushed.partition_ids)
        continue
      }
      for (const id of flushed.partition_ids) this.#wait(id)
      rest = this.#joinWaits(rest)
    }
  }

  /** One flush, retried where another writer was quicker. Undefined: it failed, and everyone was told. */
  async #tryFlush(batch: Pending[], wait?: LockWait): Promise<Flushed | undefined> {
    const plan = new FlushPlan(batch.map((pending) => pending.request))
    for (let tries = 1; ; tries++) {
      try {
        return await (wait ? this.#send(plan, wait) : this.#sendNext(plan))
      } catch (error) {
        if (mayTryAgain(error) && tries < FLUSH_TRIES) continue
        const problem = appendProblem(error)
        for (const pending of batch) this.#finish(pending, { problem })
        return undefined
      }
    }
  }

  /** Sends the flush that everyone else is behind; no body is read until it is on its way. */
  async #sendNext(plan: FlushPlan): Promise<Flushed> {
    const sent = this.#turns.hold()
    try {
      return await this.#send(plan, undefined, sent)
    } finally {
      sent()
    }
  }

  async #send(plan: FlushPlan, wait?: LockWait, sent?: () => void): Promise<Flushed> {
    const { flush } = plan
    const pool = poolOf(this.#pools, flush.partition_ids[0] ?? 0, wait ? 'waiting' : 'append')
    if (plan.isPlain) {
      const id = flush.partition_ids[0] ?? 0
      const outcome = await appendBatches(pool, flush, wait, sent)
      if (outcome.status === 'ok') {
        return { kind: 'written', results: plan.plainResults(outcome.base_offset) }
      }
      return { kind: outcome.status === 'busy' ? 'busy' : 'gone', partition_ids: new Set([id]) }
    }
    const outcomes = await appendFlush(pool, flush, wait, sent)
    const [first] = outcomes
    if (first?.status === 'busy' || first?.status === 'unknown_partition') {
      const kind = first.status === 'busy' ? 'busy' : 'gone'
      return { kind, partition_ids: plan.partitionsOf(outcomes) }
    }
    return { kind: 'written', results: plan.results(outcomes) }
  }

  #settle(batch: readonly Pending[], results: ReadonlyMap<AppendRequest, AppendResult>): void {
    const highWatermarks = new Map<number, number>()
    for (const pending of batch) {
      const result = results.get(pending.request) as AppendResult
      if (result.status === 'ok') {
        for (const { partition_id, base_offset, record_count } of result.parts) {
          const end = base_offset + record_count
          highWatermarks.set(partition_id, Math.max(end, highWatermarks.get(partition_id) ?? 0))
        }
      }
      this.#finish(pending, result)
    }
    for (const [id, highWatermark] of highWatermarks) this.#appended(id, highWatermark)
  }

  #rejectGone(batch: Pending[], partitionIds: ReadonlySet<number>): Pending[] {
    return batch.filter((pending) => {
      const isGone = lockedBy(pending.request).some((id) => partitionIds.has(id))
      if (isGone) this.#finish(pending, { problem: new PartitionGone() })
      return !isGone
    })
  }

  /** Moves requests for a partition that is waited for to that wait; returns the others. */
  #joinWaits(batch: Pending[]): Pending[] {
    if (this.#waiting.size === 0) return batch
    return batch.filter((pending) => {
      const id = lockedBy(pending.request).find((locked) => this.#waiting.has(locked))
      if (id !== undefined) this.#waiting.get(id)?.push(pending)
      return id === undefined
    })
  }

  /** Begins to wait for a partition's lock; requests join until the wait ends. */
  #wait(partitionId: number): void {
    if (this.#waiting.has(partitionId)) return
    this.#waiting.set(partitionId, [])
    // After the caller has moved its requests here.
    setImmediate(() => void this.#flushWaiting(partitionId))
  }

  async #flushWaiting(partitionId: number): Promise<void> {
    for (;;) {
      let batch = this.#waiting.get(partitionId) ?? []
      if (batch.length === 0) break
      this.#waiting.set(partitionId, [])
      while (batch.length > 0) batch = await this.#flushOneWait(partitionId, batch)
    }
    this.#waiting.delete(partitionId)
  }

  /** Waits for the lock and flushes; returns those that are still to be flushed. */
  async #flushOneWait(partitionId: number, batch: Pending[]): Promise<Pending[]> {
    const until = oldest(batch) + LIMITS.lock_wait_ms
    const flushed = await this.#tryFlush(batch, { partition_id: partitionId, until })
    switch (flushed?.kind) {
      case 'gone':
        return this.#rejectGone(batch, flushed.partition_ids)
      case 'written':
        this.#settle(batch, flushed.results)
        return []
      case 'busy':
        // This lock was free at last, but another one is taken: wait for that instead.
        this.#waitInstead(batch, flushed.partition_ids)
        return []
      case undefined:
        this.#rejectWaiting(partitionId)
        return []
    }
  }

  /** Moves requests to the wait for the other partition they need; the rest is queued again. */
  #waitInstead(batch: Pending[], partitionIds: ReadonlySet<number>): void {
    for (const id of partitionIds) this.#wait(id)
    for (const pending of batch) {
      const id = lockedBy(pending.request).find((locked) => partitionIds.has(locked))
      if (id === undefined) this.#queue.push(pending)
      else this.#waiting.get(id)?.push(pending)
    }
    this.#startFlushing()
  }

  /** The wait failed: those who joined it meanwhile would only wait as long again. */
  #rejectWaiting(partitionId: number): void {
    const problem = busyProblem(undefined)
    for (const pending of this.#waiting.get(partitionId) ?? []) this.#finish(pending, { problem })
    this.#waiting.set(partitionId, [])
  }
}

function oldest(batch: readonly Pending[]): number {
  return Math.min(...batch.map((pending) => pending.since))
}

function busyProblem(cause: unknown): ProblemError {
  return new ProblemError(
    'partition_busy',
    'Another session holds the lock of a partition of this request.',
    {
      cause,
      written: 'no',
      retry_after_s: 1,
    },
  )
}

function appendProblem(error: unknown): unknown {
  if (isLockTimeout(error)) return busyProblem(error)
  const written = writtenAfter(error)
  const detail =
    written === 'no'
      ? 'The database does not answer; nothing was written.'
      : 'The database went away before it answered; the records may or may not be written.'
  if (isUnavailable(error) || written === 'unknown' || mayTryAgain(error)) {
    return new ProblemError('store_unavailable', detail, {
      cause: error,
      written,
      retry_after_s: 1,
    })
  }
  return new ProblemError('internal_error', 'The records could not be written.', {
    cause: error,
    written,
  })
}
