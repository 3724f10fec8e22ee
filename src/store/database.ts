import { Kysely, PostgresDialect, type Generated } from 'kysely'
import type pg from 'pg'
import { watchedPool } from './pool.ts'

/** What was counted of a drain. */
export interface DrainCountsRow {
  frames: number
  lines: number
  bytes: number
  duplicates: number
  flagged: number
  looped: number
  gaps: number
  dropped: number
  last_gap_at: Date | null
  last_looped_at: Date | null
  last_frame_at: Date | null
  last_frame_id: string | null
  arrival_lag_ms: number | null
}

/** Where lines of a drain came from. */
export interface DrainSourceRow {
  source: string
  frames: number
  first_seen_at: Date
  last_seen_at: Date
}

/** The control tables as kysely sees them. The data plane speaks raw SQL, in its own files. */
export interface Tables {
  'tailrace.topics': {
    topic_id: Generated<number>
    name: string
    partitions: number
    first_partitions: number
    config: Record<string, unknown>
    created_at: Generated<Date>
  }
  'tailrace.partitions': { partition_id: Generated<number>; topic_id: number; partition: number }
  'tailrace.log_starts': { partition_id: number; log_start_offset: Generated<number> }
  'tailrace.drains': {
    drain_id: Generated<number>
    name: string
    topic: string
    credential_hash: Buffer
    old_credential_hash: Buffer | null
    old_credential_until: Date | null
    config: Record<string, unknown>
    created_at: Generated<Date>
  }
  'tailrace.drain_counts': DrainCountsRow & { drain_id: number }
  'tailrace.drain_sources': DrainSourceRow & { drain_id: number }
  'tailrace.deleted_partitions': { partition_id: number; deleted_at: Generated<Date> }
}

export type Database = Kysely<Tables>

export function createDatabase(pool: pg.Pool): Database {
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool: watchedPool(pool) }) })
}
