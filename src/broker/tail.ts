import { LIMITS } from '../contract/limits.ts'
import { ProblemError } from '../contract/problem-error.ts'
import type { TailControl } from '../contract/tails.ts'
import type { Page, StoredBatch } from '../records/page.ts'
import { readFrom, type FetchingBroker } from './fetch.ts'
import { Backoff } from './back-off.ts'
import type { TailHub } from './tail-hub.ts'
import { formatPosition } from './tail-position.ts'
import { startPartitions, type StartedPartition, type StartInput } from './tail-start.ts'
import type { Tailer } from './tailer.ts'

export interface TailInput extends StartInput {
  max_records?: number | undefined
  on_truncated: 'continue' | 'end'
}

/** Some batches of one partition, for a writer to make a page of. */
export interface TailSource {
  topic: string
  partition: number
  /** The first record to write. */
  offset: number
  batches: readonly StoredBatch[]
  /** Offset at which the tail ends, if it does. */
  end: number | undefined
  max_records: number
  /** The tail's position once this partition's next offset is the one given. */
  position: (nextOffset: number) => string
}
export type PageWriter = (source: TailSource) => Page

export type TailEvent = { type: 'records'; page: Page; position: string } | TailControl

interface Broker extends FetchingBroker {
  hub: TailHub
}

interface Cursor extends StartedPartition {
  tailer: Tailer
}

/**
 * One reader's way through partitions: history from the database, then what the tailers hold, as one stream.
 * Which of the two has an offset is asked anew for each page, so there is no seam to fall into.
 *
 * `next` is called again once what it gave has been sent; nothing is buffered here.
 */
export class Tail {
  readonly #broker: Broker
  readonly #input: TailInput
  readonly #signal: AbortSignal
  #cursors: Cursor[] = []
  /** Whose turn it is, so that a busy partition does not starve the others. */
  #turn = 0
  #left: number
  #toldUpToDate = false
  #draining = false
  #ended = false
  #pending: TailControl[] = []
  #wake: (() => void) | undefined
  readonly #backoff = new Backoff()
  readonly #news = () => this.#wake?.()
  #drain: (() => void) | undefined
  readonly #member

  private constructor(broker: Broker, input: TailInput, signal: AbortSignal) {
    this.#broker = broker
    this.#input = input
    this.#signal = signal
    this.#left = input.max_records ?? Infinity
    this.#member = {
      topic_ids: new Set<number>(),
      grown: (topicId: number, ids: readonly number[]) => this.#grown(topicId, ids),
      drain: () => {
        this.#draining = true
        this.#news()
        this.#drain?.()
      },
    }
  }

  /** Begins a tail; throws a problem where it cannot. Ends, and gives back what it holds, with the signal. */
  static async open(broker: Broker, input: TailInput, signal: AbortSignal): Promise<Tail> {
    const partitions = await startPartitions(broker, input)
    const tail = new Tail(broker, input, signal)
    tail.#begin(partitions)
    return tail
  }

  #begin(partitions: readonly StartedPartition[]): void {
    if (!this.#input.partitions && !this.#input.until) {
      for (const { topic } of partitions) this.#member.topic_ids.add(topic.topic_id)
    }
    this.#broker.hub.join(this.#member)
    for (const partition of partitions) this.#add(partition)
    if (this.#signal.aborted) this.#close()
    else this.#signal.addEventListener('abort', () => this.#close(), { once: true })
    const until = this.#input.until && this.#positionOf(({ end }) => end ?? 0)
    this.#pending.push({ type: 'begin', position: this.position, ...(until ? { until } : {}) })
  }

  #add(partition: StartedPartition): void {
    const tailer = this.#broker.hub.use(partition.partition_id)
    tailer.readers.add(this.#news)
    if (partition.offset === partition.high_watermark) tailer.attach(partition.offset)
    this.#cursors.push({ ...partition, tailer })
  }

  #remove(cursor: Cursor): void {
    cursor.tailer.readers.delete(this.#news)
    this.#broker.hub.release(cursor.partition_id)
  }

  #close(): void {
    this.#ended = true
    this.#broker.hub.leave(this.#member)
    for (const cursor of this.#cursors.splice(0)) this.#remove(cursor)
    this.#news()
  }

  /** Where to go on from here. */
  get position(): string {
    return this.#positionOf(({ offset }) => offset)
  }

  #positionOf(offset: (cursor: Cursor) => number): string {
    const positions = this.#cursors.map((cursor) => ({
      topic: cursor.topic.name,
      partition: cursor.partition,
      offset: offset(cursor),
    }))
    return formatPosition(positions, this.#input.names_topics)
  }

  /**
   * The next thing to send, waiting for it; undefined once the tail has ended. `allowance` is how many records
   * may be sent now; call `nudge` when it has grown.
   */
  async next(write: PageWriter, allowance: () => number): Promise<TailEvent | undefined> {
    while (!this.#ended) {
      const event = this.#pending.shift() ?? (await this.#step(write, allowance()))
      if (event) return event
    }
    return this.#pending.shift()
  }

  /** Calls back when the server begins to stop, also while a page is under way. */
  whenDraining(callback: () => void): void {
    this.#drain = callback
    if (this.#draining) callback()
  }

  nudge(): void {
    this.#news()
  }

  async #step(write: PageWriter, maxRecords: number): Promise<TailEvent | undefined> {
    const last = this.#lastMessage()
    if (last) {
      this.#close()
      return last
    }
    if (maxRecords <= 0) return this.#wait()
    const behind: Cursor[] = []
    for (let k = 0; k < this.#cursors.length; k++) {
      const cursor = this.#cursors[(this.#turn + k) % this.#cursors.length] as Cursor
      if (isDone(cursor)) continue
      const found = cursor.tailer.find(cursor.offset)
      if (found.kind === 'behind') behind.push(cursor)
      if (found.kind !== 'batches') continue
      this.#turn += k + 1
      return this.#page(cursor, found.batches, write, maxRecords)
    }
    if (behind[0]) return this.#readHistory(behind[0], write, maxRecords)
    if (this.#toldUpToDate) return this.#wait()
    this.#toldUpToDate = true
    return { type: 'up_to_date', position: this.position }
  }

  /** What ends the tail, if anything does now. */
  #lastMessage(): TailControl | undefined {
    const { position } = this
    if (this.#draining) return { type: 'draining', position }
    if (this.#left <= 0) return { type: 'end', reason: 'max_records', position }
    if (this.#cursors.length === 0) return { type: 'end', reason: 'topic_deleted', position }
    if (this.#cursors.every(isDone)) return { type: 'end', reason: 'until', position }
    return undefined
  }

  #page(
    cursor: Cursor,
    batches: readonly StoredBatch[],
    write: PageWriter,
    maxRecords: number,
  ): TailEvent | undefined {
    const { topic, partition, offset, end } = cursor
    const max_records = Math.min(maxRecords, this.#left)
    const position = this.#positionAround(cursor)
    const source = { topic: topic.name, partition, offset, batches, end, max_records, position }
    const page = write(source)
    cursor.offset = page.next_offset
    this.#left -= page.record_count
    if (page.record_count === 0) return undefined
    return { type: 'records', page, position: position(page.next_offset) }
  }

  /** The position as a function of one partition's offset; made once a page, used once a record. */
  #positionAround(cursor: Cursor): (nextOffset: number) => string {
    if (this.#cursors.length === 1 && !this.#input.names_topics) {
      return (nextOffset) => `${String(cursor.partition)}:${String(nextOffset)}`
    }
    // With the colon, which no topic's name holds: `orders-1` is one.
    const [before = '', after = ''] = this.#positionOf((one) =>
      one === cursor ? -1 : one.offset,
    ).split(':-1')
    return (nextOffset) => `${before}:${String(nextOffset)}${after}`
  }

  async #readHistory(
    cursor: Cursor,
    write: PageWriter,
    maxRecords: number,
  ): Promise<TailEvent | undefined> {
    this.#turn++
    const read = await this.#read(cursor)
    if (this.#ended || read === 'failed') return undefined
    if (read === undefined) return this.#topicDeleted(cursor)
    const { log_start_offset, high_watermark, batches } = read
    if (cursor.offset < log_start_offset) return this.#truncated(cursor, log_start_offset)
    if (cursor.offset > high_watermark) throw logShrank(cursor, high_watermark)
    if (batches.length > 0) {
      this.#toldUpToDate = false
      return this.#page(cursor, batches, write, maxRecords)
    }
    cursor.tailer.attach(cursor.offset)
    return undefined
  }

  /** Reads from the database; while it is away, the tail waits. */
  async #read(cursor: Cursor) {
    try {
      const read = await readFrom(this.#broker, cursor.partition_id, cursor.offset, {
        max_bytes: LIMITS.tail_read_bytes,
        max_records: LIMITS.records_per_request,
      })
      this.#backoff.succeeded()
      return read
    } catch (error) {
      if (!(error instanceof ProblemError) || error.code !== 'store_unavailable') throw error
      await this.#backoff.failed(this.#signal)
      return 'failed'
    }
  }

  #truncated(cursor: Cursor, logStartOffset: number): TailControl {
    const { topic, partition, offset } = cursor
    cursor.offset = logStartOffset
    const { position } = this
    if (this.#input.on_truncated === 'end') {
      this.#pending.push({ type: 'end', reason: 'truncated', position })
      this.#close()
    }
    return {
      type: 'truncated',
      topic: topic.name,
      partition,
      offset,
      log_start_offset: logStartOffset,
      position,
    }
  }

  #topicDeleted({ topic }: Cursor): TailControl {
    const gone = this.#cursors.filter((cursor) => cursor.topic.topic_id === topic.topic_id)
    this.#cursors = this.#cursors.filter((cursor) => !gone.includes(cursor))
    for (const cursor of gone) this.#remove(cursor)
    this.#member.topic_ids.delete(topic.topic_id)
    this.#broker.topics.forget(topic.name)
    return { type: 'topic_deleted', topic: topic.name, position: this.position }
  }

  /** Follows partitions that were added to a topic, from their beginning. */
  #grown(topicId: number, partitionIds: readonly number[]): void {
    const known = this.#cursors.filter((cursor) => cursor.topic.topic_id === topicId)
    const topic = known[0]?.topic
    if (!topic || partitionIds.length <= known.length) return
    if (this.#cursors.length + partitionIds.length - known.length > LIMITS.partitions_per_tail)
      return
    for (let partition = known.length; partition < partitionIds.length; partition++) {
      const partition_id = partitionIds[partition] as number
      this.#add({ topic, partition, partition_id, offset: 0, end: undefined, high_watermark: -1 })
    }
    this.#news()
  }

  async #wait(): Promise<undefined> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      // What came since the cursors were looked at would not wake anybody.
      if (this.#ended || this.#draining || this.#pending.length > 0) resolve()
    })
    this.#wake = undefined
  }
}

function isDone({ offset, end }: Cursor): boolean {
  return end !== undefined && offset >= end
}

/** A database that was restored to an earlier state: offsets would come a second time with other records. */
function logShrank({ topic, partition, offset }: Cursor, highWatermark: number): ProblemError {
  return new ProblemError(
    'offset_out_of_range',
    `The log of ${topic.name}/${String(partition)} ends before ${String(highWatermark)}, but this tail has ` +
      `read up to ${String(offset)}: the database was restored to an earlier state.`,
    { members: { high_watermark: highWatermark } },
  )
}
