import type pg from 'pg'
import { LIMITS } from '../contract/limits.ts'
import { queryWithPayload, type PayloadStatement } from './payload-query.ts'
import { withClient } from './pool.ts'

/**
 * The two statements that write records; see migrations/0003-append.sql for what they do.
 *
 * Plan: pinned to the primary key. Locks: one advisory lock a partition, ascending. Cost: about 0.15 ms and
 * one commit for a flush of 64 records to one partition. Rejected: arrays of bytea (pg sends them as hex,
 * twice the bytes; hence one payload cut by the function), COPY (computes and returns no offsets), a
 * transaction a request (10k requests/s against 44k).
 */

/** One row of `batches` to be: its bytes lie in the flush's payload, one row after the other. */
export interface NewBatch {
  record_count: number
  byte_length: number
  max_timestamp: number
  stamps: boolean
}

export interface AppendOutcome {
  status: 'ok' | 'busy' | 'unknown_partition'
  base_offset: number
  appended_ms: number
}

const APPEND_BATCHES =
  'select status, base_offset, appended_ms from tailrace.append_batches($1, $2, $3, $4, $5, $6, $7)'

/** Which taken lock to wait for, and until when (by performance.now()); the others are only tried. */
export interface LockWait {
  partition_id: number
  until: number
}

/**
 * Appends a flush that touches one partition. Without a wait, a taken lock answers busy. `sent` is called
 * once the flush is on its way to the database, if it gets so far.
 */
export async function appendBatches(
  pool: pg.Pool,
  { partition_ids: [partitionId], batches, payload }: Flush,
  wait?: LockWait,
  sent?: () => void,
): Promise<AppendOutcome> {
  const result = await durably<AppendOutcome>(pool, wait, sent, {
    name: 'append_batches',
    text: APPEND_BATCHES,
    values: [
      partitionId,
      wait !== undefined,
      batches.map((batch) => batch.record_count),
      batches.map((batch) => batch.byte_length),
      batches.map((batch) => batch.max_timestamp),
      batches.map((batch) => batch.stamps),
    ],
    payload,
  })
  return result.rows[0] as AppendOutcome
}

/** A guarded request of a flush. */
export interface Guard {
  /** Partition that holds the receipt. */
  home: number
  key: string | null
  /** Digest of the request, to tell a retry from another request under the same key. */
  digest: string | null
  /** [partition_id, offset] pairs that must be the high watermarks. */
  expected: readonly (readonly [number, number])[]
}

export interface Flush {
  /** Every partition to lock, ascending. */
  partition_ids: readonly number[]
  /** The batches with their request (0: the plain ones) and the index of their partition, from 1. */
  batches: readonly (NewBatch & { request: number; slot: number })[]
  guards: readonly Guard[]
  /** The bytes of all batches, in order, in as many pieces as they happen to lie in. */
  payload: readonly Buffer[]
}

/** One row of the answer; which fields are set depends on the status. */
export interface FlushOutcome {
  status: 'ok' | 'busy' | 'unknown_partition' | 'replayed' | 'key_reused' | 'offset_mismatch'
  request: number | null
  slot: number | null
  base_offset: number | null
  appended_ms: number | null
  offsets: number[][] | null
}

const APPEND_FLUSH = `select status, request, slot, base_offset, appended_ms, offsets
  from tailrace.append_flush($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`

/** Appends several requests over several partitions in one transaction. */
export async function appendFlush(
  pool: pg.Pool,
  flush: Flush,
  wait?: LockWait,
  sent?: () => void,
): Promise<FlushOutcome[]> {
  const { batches } = flush
  const result = await durably<FlushOutcome>(pool, wait, sent, {
    name: 'append_flush',
    text: APPEND_FLUSH,
    values: [
      flush.partition_ids,
      wait?.partition_id ?? null,
      batches.map((batch) => batch.request),
      batches.map((batch) => batch.slot),
      batches.map((batch) => batch.record_count),
      batches.map((batch) => batch.byte_length),
      batches.map((batch) => batch.max_timestamp),
      batches.map((batch) => batch.stamps),
      JSON.stringify(flush.guards),
      LIMITS.idempotency_ms,
    ],
    payload: flush.payload,
  })
  return result.rows
}

/** At least 1, as 0 would mean for ever. */
function millisecondsUntil(moment: number): number {
  return Math.max(Math.ceil(moment - performance.now()), 1)
}

/** The server gave a warning with its commit: it may not be as durable as the settings promise. */
class DoubtfulCommit extends Error {}

/**
 * Runs a write and resolves after its commit. "canceling wait for synchronous replication" arrives as a
 * warning beside a success: such a commit is on no standby, so it counts as unknown, not as done.
 */
async function durably<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  wait: LockWait | undefined,
  sent: (() => void) | undefined,
  statement: PayloadStatement,
): Promise<pg.QueryResult<Row>> {
  return withClient(pool, async (client) => {
    let warning: string | undefined
    const notice = (message: { severity?: string | undefined; message?: string | undefined }) => {
      if (message.severity === 'WARNING') warning = message.message ?? 'warning'
    }
    client.on('notice', notice)
    try {
      // Here rather than earlier: the wait for a connection is part of the wait.
      if (wait) await client.query(`set lock_timeout = ${String(millisecondsUntil(wait.until))}`)
      const result = await queryWithPayload<Row>(client, statement, sent)
      if (warning !== undefined) throw new DoubtfulCommit(warning)
      return result
    } finally {
      client.off('notice', notice)
    }
  })
}
