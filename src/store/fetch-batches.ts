import type pg from 'pg'
import { poolOf, rowsOf, type StorePools } from './pool.ts'
import { safeInteger } from './types.ts'

/**
 * The statements that read records; see migrations/0004-read.sql. One snapshot each, by primary key only.
 * Cost: about 0.3 ms for 1,000 records.
 *
 * Payloads come in binary, as pg would read bytea from hex otherwise. pg 8 decodes every column as UTF-8
 * text first, binary or not, which is just right for payloads (they are UTF-8) and wrong for binary
 * integers: hence the casts to text.
 */

/** Where a read begins: `offset` is an offset, or for `last` how many records before the end. */
export interface ReadPosition {
  kind: 'offset' | 'earliest' | 'latest' | 'last'
  offset: number
}

/** A batch as it is read back. */
export interface BatchRow {
  base_offset: number
  next_offset: number
  /** Epoch ms: the timestamp of its records that have none of their own. */
  appended_ms: number
  /** Bytes of the payload in UTF-8. */
  byte_length: number
  /** One record's JSON text per line, each ended by a newline. */
  payload: string
}

export interface FetchedBatches {
  log_start_offset: number
  high_watermark: number
  /** The offset that the position named; outside the log there are no batches. */
  fetch_offset: number
  batches: BatchRow[]
}

const BATCH = `base_offset::text, next_offset::text, appended_ms::text, octet_length(payload)::text, payload`
const FETCH_BATCHES = `select ${BATCH}, log_start_offset::text, high_watermark::text, fetch_offset::text
  from tailrace.fetch_batches($1, $2, $3, $4, $5)`

/** Reads the batches a page needs, and the bounds of the log. Undefined: no such partition. */
export async function fetchBatches(
  pools: StorePools,
  partitionId: number,
  position: ReadPosition,
  bounds: { max_records: number; max_bytes: number },
): Promise<FetchedBatches | undefined> {
  const [first, ...rest] = await readRows(poolOf(pools, partitionId, 'read'), {
    name: 'fetch_batches',
    text: FETCH_BATCHES,
    values: [partitionId, position.kind, position.offset, bounds.max_records, bounds.max_bytes],
  })
  if (!first) return undefined
  const [log_start_offset = 0, high_watermark = 0, fetch_offset = 0] = first
    .slice(5)
    .map(safeInteger)
  return { log_start_offset, high_watermark, fetch_offset, batches: rest.map(batchRow) }
}

/** The first batch at or after an offset that holds a record of at least this timestamp (epoch ms). */
export async function findTimestamp(
  pools: StorePools,
  partitionId: number,
  fromOffset: number,
  timestamp: number,
): Promise<BatchRow | undefined> {
  const [row] = await readRows(poolOf(pools, partitionId, 'read'), {
    name: 'find_timestamp',
    text: `select ${BATCH} from tailrace.find_timestamp($1, $2, $3)`,
    values: [partitionId, fromOffset, timestamp],
  })
  return row && batchRow(row)
}

export interface PartitionBounds {
  partition_id: number
  log_start_offset: number
  high_watermark: number
}

/** Where these partitions begin and end; those that do not exist are missing. */
export function partitionBounds(
  pools: StorePools,
  partitionIds: readonly number[],
): Promise<PartitionBounds[]> {
  return rowsOf(pools.read, {
    name: 'partition_bounds',
    text: 'select partition_id, log_start_offset, high_watermark from tailrace.partition_bounds($1)',
    values: [partitionIds],
  })
}

function batchRow([
  base = '',
  next = '',
  appended = '',
  bytes = '',
  payload = '',
]: readonly string[]): BatchRow {
  return {
    base_offset: safeInteger(base),
    next_offset: safeInteger(next),
    appended_ms: safeInteger(appended),
    byte_length: safeInteger(bytes),
    payload,
  }
}

const AS_IT_IS = {
  getTypeParser: () => (value: unknown) => value,
} as unknown as pg.CustomTypesConfig

function readRows(pool: pg.Pool, query: pg.QueryConfig): Promise<string[][]> {
  // `binary` is an option of pg's queries that its types do not know.
  const options = { ...query, rowMode: 'array', binary: true, types: AS_IT_IS }
  return rowsOf<string[]>(pool, options)
}
