import { LIMITS } from '../contract/limits.ts'
import { ProblemError } from '../contract/problem-error.ts'
import type { FetchedBatches } from '../store/fetch-batches.ts'
import { Tailer } from './tailer.ts'
import type { Wakeups } from './wakeups.ts'

/** A live tail, as the hub sees it. */
export interface HubMember {
  /** Topics whose partitions it follows as they are added. */
  readonly topic_ids: ReadonlySet<number>
  /** Told of all partitions of one of these topics, now and then. */
  grown: (topicId: number, partitionIds: readonly number[]) => void
  /** The server stops. */
  drain: () => void
}

export interface HubSource {
  wakeups: Wakeups
  read: (partitionId: number, offset: number) => Promise<FetchedBatches | undefined>
  /** Partition ids of these topics, in order. */
  partitionsOf: (topicIds: readonly number[]) => Promise<Map<number, number[]>>
}

/** The live tails of this node, and one tailer for each partition that any of them reads. */
export class TailHub {
  readonly #source: HubSource
  readonly #tailers = new Map<number, { tailer: Tailer; users: number }>()
  readonly #members = new Set<HubMember>()
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(source: HubSource) {
    this.#source = source
  }

  /** How many tails there are. */
  get size(): number {
    return this.#members.size
  }

  join(member: HubMember): void {
    if (this.#closed) throw new ProblemError('draining', 'The server is shutting down.')
    if (this.#members.size >= LIMITS.tails) {
      throw new ProblemError('queue_full', 'There are too many tails on this node.', {
        retry_after_s: 1,
      })
    }
    this.#members.add(member)
    this.#lookSoon()
  }

  leave(member: HubMember): void {
    this.#members.delete(member)
  }

  /** The tailer of a partition; give it back with `release`. */
  use(partitionId: number): Tailer {
    let entry = this.#tailers.get(partitionId)
    if (!entry) {
      entry = { tailer: this.#createTailer(partitionId), users: 0 }
      this.#tailers.set(partitionId, entry)
    }
    entry.users++
    return entry.tailer
  }

  release(partitionId: number): void {
    const entry = this.#tailers.get(partitionId)
    if (!entry || --entry.users > 0) return
    entry.tailer.close()
    this.#tailers.delete(partitionId)
  }

  /** Every tail says farewell; nobody may join. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    for (const member of [...this.#members]) member.drain()
    for (const { tailer } of this.#tailers.values()) tailer.close()
  }

  #createTailer(partitionId: number): Tailer {
    return new Tailer({
      watch: this.#source.wakeups.watch(partitionId),
      read: (offset) => this.#source.read(partitionId, offset),
      ringBytes: () => Math.min(LIMITS.ring_bytes, LIMITS.rings_bytes / this.#tailers.size),
    })
  }

  #lookSoon(): void {
    if (this.#closed || this.#members.size === 0) return
    this.#timer ??= setTimeout(() => {
      void this.#look().finally(() => {
        this.#timer = undefined
        this.#lookSoon()
      })
    }, LIMITS.membership_ms)
  }

  /** One query for all tails: have partitions been added to their topics? */
  async #look(): Promise<void> {
    const ids = new Set<number>()
    for (const member of this.#members) for (const id of member.topic_ids) ids.add(id)
    if (ids.size === 0) return
    try {
      const partitions = await this.#source.partitionsOf([...ids])
      for (const member of [...this.#members]) {
        for (const id of member.topic_ids) member.grown(id, partitions.get(id) ?? [])
      }
    } catch {
      // The database is away; a partition that was added meanwhile is found when it is back.
    }
  }
}
