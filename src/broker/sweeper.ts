import { deletePartitionChunk, nextDeletedPartition } from '../store/delete-batches.ts'
import type { StorePools } from '../store/pool.ts'

/** How often a node looks for what other nodes, or its own earlier life, left to remove. */
const SWEEP_MS = 60_000

/** Removes the rows of deleted topics, chunk by chunk, so that nobody waits behind it. */
export class Sweeper {
  readonly #pools: StorePools
  readonly #failed: (error: unknown) => void
  #timer: NodeJS.Timeout | undefined
  #sweeping: Promise<void> | undefined
  /** Something was deleted while a sweep was under way, which may have looked too early. */
  #again = false
  #closed = false

  constructor(pools: StorePools, failed: (error: unknown) => void) {
    this.#pools = pools
    this.#failed = failed
  }

  /** Sweeps now, unless a sweep is under way, and from time to time from now on. */
  sweep(): void {
    if (this.#closed) return
    clearTimeout(this.#timer)
    this.#again = this.#sweeping !== undefined
    this.#sweeping ??= this.#sweepAll()
      .catch(this.#failed)
      .finally(() => {
        this.#sweeping = undefined
        if (this.#again) {
          this.sweep()
          return
        }
        if (this.#closed) return
        this.#timer = setTimeout(() => {
          this.sweep()
        }, SWEEP_MS)
        this.#timer.unref()
      })
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#sweeping
  }

  async #sweepAll(): Promise<void> {
    for (;;) {
      const partitionId = await nextDeletedPartition(this.#pools.read)
      if (partitionId === undefined) return
      while (!this.#closed && !(await deletePartitionChunk(this.#pools.read, partitionId)));
      if (this.#closed) return
    }
  }
}
