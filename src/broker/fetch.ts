import { ProblemError } from '../contract/problem-error.ts'
import { offsetAtTimestamp, writePage, type Page, type RecordStyle } from '../records/page.ts'
import {
  fetchBatches,
  findTimestamp,
  partitionBounds,
  type FetchedBatches,
  type PartitionBounds,
  type ReadPosition,
} from '../store/fetch-batches.ts'
import type { StorePools } from '../store/pool.ts'
import { isInLog, outOfRange } from './log-bounds.ts'
import { placeOf } from './place.ts'
import { gone, targetOf, type Target } from './targets.ts'
import { told } from './told.ts'
import type { TopicDirectory } from './topic-directory.ts'
import type { Wakeups } from './wakeups.ts'

export interface FetchingBroker {
  pools: StorePools
  topics: TopicDirectory
  wakeups: Wakeups
}

/** Where a fetch begins. */
export type Position = ReadPosition | { kind: 'timestamp'; timestamp: number }

export interface FetchInput {
  topic: string
  partition: number
  position: Position
  max_records: number
  max_bytes: number
  /** Wait until this many bytes are there ... */
  min_bytes: number
  /** ... but no longer than this. */
  max_wait_ms: number
  style: RecordStyle
  signal: AbortSignal
}

export interface Fetched {
  page: Page
  high_watermark: number
  log_start_offset: number
}

async function findPartition(
  broker: FetchingBroker,
  name: string,
  partition: number,
): Promise<Target> {
  return targetOf(await broker.topics.require(name), partition)
}

/** A page of records, waiting for them if asked to; the wait holds no database connection. */
export async function fetch(broker: FetchingBroker, input: FetchInput): Promise<Fetched> {
  const target = await findPartition(broker, input.topic, input.partition)
  const deadline = performance.now() + input.max_wait_ms
  let position = await resolvePosition(broker, target, input.position)
  const watch = broker.wakeups.watch(target.partition_id)
  try {
    for (;;) {
      const read = await readBatches(broker, target, position, input)
      const page = writePage(read.batches, read.fetch_offset, input, input.style)
      const left = deadline - performance.now()
      const enough = isFull(page, read, input) || page.byte_length >= input.min_bytes
      if (enough || left <= 0 || input.signal.aborted || broker.wakeups.closed)
        return { ...read, page }
      position = { kind: 'offset', offset: read.fetch_offset }
      await watch.changed(read.high_watermark, input.signal, left)
    }
  } finally {
    watch.end()
  }
}

/** Can this page grow no more, whatever comes? Above all, one that ends before the log does. */
function isFull(page: Page, read: FetchedBatches, input: FetchInput): boolean {
  const isCut = page.record_count > 0 && page.next_offset < read.high_watermark
  return isCut || page.record_count === input.max_records || page.byte_length >= input.max_bytes
}

async function resolvePosition(
  broker: FetchingBroker,
  target: Target,
  position: Position,
): Promise<ReadPosition> {
  if (position.kind !== 'timestamp') return position
  const { offset } = await offsetForTimestamp(broker, target, position.timestamp)
  return { kind: 'offset', offset }
}

async function readBatches(
  broker: FetchingBroker,
  target: Target,
  position: ReadPosition,
  bounds: { max_records: number; max_bytes: number },
): Promise<FetchedBatches> {
  const read = await told(false, () =>
    fetchBatches(broker.pools, target.partition_id, position, bounds),
  )
  if (!read) throw gone(broker.topics, target)
  if (!isInLog(read.fetch_offset, read)) throw notThere(target, read)
  requireDense(read)
  return read
}

/** The batches of a partition from an offset on; undefined where it is gone. Positions are the caller's to judge. */
export async function readFrom(
  broker: Pick<FetchingBroker, 'pools'>,
  partitionId: number,
  offset: number,
  bounds: { max_bytes: number; max_records: number },
): Promise<FetchedBatches | undefined> {
  const position: ReadPosition = { kind: 'offset', offset }
  const read = await told(false, () => fetchBatches(broker.pools, partitionId, position, bounds))
  if (read) requireDense(read)
  return read
}

function notThere({ topic, partition }: Target, read: FetchedBatches): ProblemError {
  const { log_start_offset, high_watermark } = read
  const which = read.fetch_offset > high_watermark ? 'past the end' : 'no longer kept'
  const detail =
    `Offset ${String(read.fetch_offset)} of ${placeOf(topic.name, partition)} is ${which}: ` +
    `the log begins at ${String(log_start_offset)} and ends before ${String(high_watermark)}.`
  return outOfRange(detail, read)
}

/** Every batch must begin where the one before ends; anything else would be records skipped silently. */
function requireDense({ batches }: FetchedBatches): void {
  for (let k = 1; k < batches.length; k++) {
    if (batches[k]?.base_offset !== batches[k - 1]?.next_offset) {
      throw new ProblemError(
        'internal_error',
        'The log has a gap here; nothing is served from it.',
        {
          cause: new Error(`gap in the log after offset ${String(batches[k - 1]?.next_offset)}`),
        },
      )
    }
  }
}

/** One record's batch, for an offset that must be in the log. */
export async function fetchOne(
  broker: FetchingBroker,
  input: { topic: string; partition: number; offset: number },
): Promise<FetchedBatches> {
  const target = await findPartition(broker, input.topic, input.partition)
  const position: ReadPosition = { kind: 'offset', offset: input.offset }
  const read = await readBatches(broker, target, position, { max_records: 1, max_bytes: 1 })
  if (read.fetch_offset === read.high_watermark) throw notThere(target, read)
  return read
}

/** The first offset whose record has at least this timestamp (epoch ms); the high watermark where none has. */
export async function findOffset(
  broker: FetchingBroker,
  input: { topic: string; partition: number; timestamp: number },
): Promise<PartitionBounds & { offset: number }> {
  const target = await findPartition(broker, input.topic, input.partition)
  return offsetForTimestamp(broker, target, input.timestamp)
}

export async function offsetForTimestamp(
  broker: FetchingBroker,
  target: Target,
  timestamp: number,
): Promise<PartitionBounds & { offset: number }> {
  const { partition_id } = target
  return told(false, async () => {
    const [bounds] = await partitionBounds(broker.pools, [partition_id])
    if (!bounds) throw gone(broker.topics, target)
    let from = bounds.log_start_offset
    for (;;) {
      const batch = await findTimestamp(broker.pools, partition_id, from, timestamp)
      if (!batch) return { ...bounds, offset: bounds.high_watermark }
      const offset = offsetAtTimestamp(batch, from, timestamp)
      // Only where the log starts inside a batch can its young record be one that is no longer kept.
      if (offset !== undefined) return { ...bounds, offset }
      from = batch.next_offset
    }
  })
}
