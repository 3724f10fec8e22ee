import type { StoredBatch } from '../records/page.ts'

/** The log does not continue where it should: never served, and never stepped over. */
export class LogGap extends Error {}

/** Recent batches of one partition, side by side without a gap, bounded in bytes. */
export class PartitionRing {
  readonly #batches: StoredBatch[] = []
  #bytes = 0
  #start: number
  #next: number

  /** An empty ring whose first record will be the one at `offset`. */
  constructor(offset: number) {
    this.#start = offset
    this.#next = offset
  }

  /** The first offset it holds. */
  get start(): number {
    return this.#start
  }

  /** The offset after the last record it holds. */
  get next(): number {
    return this.#next
  }

  /** Adds a batch that continues the ring, and lets the oldest go; throws where it does not continue. */
  add(batch: StoredBatch, maxBytes: number): void {
    const continues = batch.base_offset <= this.#next && batch.next_offset > this.#next
    if (!continues || (this.#batches.length > 0 && batch.base_offset !== this.#next)) {
      throw new LogGap(`the log has a gap at offset ${String(this.#next)}`)
    }
    this.#batches.push(batch)
    this.#bytes += batch.byte_length
    this.#next = batch.next_offset
    while (this.#bytes > maxBytes && this.#batches.length > 1) {
      const oldest = this.#batches.shift()
      this.#bytes -= oldest?.byte_length ?? 0
      this.#start = oldest?.next_offset ?? this.#start
    }
  }

  /** The batches from the one that holds `offset` on, up to `maxBytes`, at least one. */
  from(offset: number, maxBytes: number): StoredBatch[] {
    // Readers are nearly always at the end.
    let first = this.#batches.length - 1
    while (first > 0 && (this.#batches[first]?.base_offset ?? 0) > offset) first--
    const found: StoredBatch[] = []
    for (let bytes = 0, k = first; k < this.#batches.length && bytes < maxBytes; k++) {
      const batch = this.#batches[k] as StoredBatch
      found.push(batch)
      bytes += batch.byte_length
    }
    return found
  }
}
