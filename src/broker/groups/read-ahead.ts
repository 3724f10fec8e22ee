import type { FetchedBatches } from '../../store/fetch-batches.ts'

/** What was read ahead waits so long for its member, and a member that comes back later than that is not read for. */
const KEPT_MS = 100
/** Reads that wait at a time, each of at most MOST_BYTES: 16 MiB in all. */
const MOST = 16
const MOST_BYTES = 2 ** 20

export interface ReadBounds {
  max_records: number
  max_bytes: number
}

type Read = (
  partitionId: number,
  offset: number,
  bounds: ReadBounds,
) => Promise<FetchedBatches | undefined>

interface Entry {
  reading: Promise<FetchedBatches | undefined>
  timer: NodeJS.Timeout
}

/**
 * Reads the next page of a member that reads on and on while the one before is on its way to it. What is handed out
 * is noted when it is asked for, as ever; only the reading has been done by then. One member alone got 0.67 of the
 * rate of plain fetches without it.
 */
export class ReadAhead {
  readonly #read: Read
  readonly #entries = new Map<string, Entry>()

  constructor(read: Read) {
    this.#read = read
  }

  /** Reads on behind a page that a member was given; `gapMs` is how long the member took to ask for that page. */
  begin(partitionId: number, offset: number, bounds: ReadBounds, gapMs: number): void {
    const isFast = gapMs < KEPT_MS
    if (!isFast || this.#entries.size >= MOST || bounds.max_bytes > MOST_BYTES) return
    const name = nameOf(partitionId, offset, bounds)
    if (this.#entries.has(name)) return
    const reading = this.#read(partitionId, offset, bounds)
    // If it failed, it is read anew.
    reading.catch(() => undefined)
    const timer = setTimeout(() => this.#entries.delete(name), KEPT_MS)
    this.#entries.set(name, { reading, timer })
  }

  /** The batches from an offset on, as they were read ahead or as they are now; undefined where the log is gone. */
  async take(
    partitionId: number,
    offset: number,
    bounds: ReadBounds,
  ): Promise<FetchedBatches | undefined> {
    const name = nameOf(partitionId, offset, bounds)
    const entry = this.#entries.get(name)
    if (entry) {
      this.#entries.delete(name)
      clearTimeout(entry.timer)
      const read = await entry.reading.catch(() => undefined)
      if (read && isFull(read, offset, bounds)) return read
    }
    return this.#read(partitionId, offset, bounds)
  }
}

/** Else there may be more by now, and the page would be smaller than need be. */
function isFull({ batches }: FetchedBatches, offset: number, bounds: ReadBounds): boolean {
  const bytes = batches.reduce((sum, { byte_length }) => sum + byte_length, 0)
  const next = batches.at(-1)?.next_offset ?? offset
  return next - offset >= bounds.max_records || bytes >= bounds.max_bytes
}

const nameOf = (partitionId: number, offset: number, { max_records, max_bytes }: ReadBounds) =>
  `${String(partitionId)} ${String(offset)} ${String(max_records)} ${String(max_bytes)}`
