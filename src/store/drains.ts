import { sql } from 'kysely'
import type { DrainConfig } from '../contract/drains.ts'
import type { Database, DrainCountsRow, DrainSourceRow } from './database.ts'
export type { DrainCountsRow, DrainSourceRow } from './database.ts'
import { withClient, type StorePools } from './pool.ts'

/** Drains and what was counted of them; see migrations/0008-drains.sql. */

export interface DrainRow {
  drain_id: number
  name: string
  topic: string
  /** SHA-256 of the credential, and of the one before it while that still counts. */
  credential_hash: Buffer
  old_credential_hash: Buffer | null
  config: DrainConfig
  created_at: Date
}

/** What one node counted of one drain since it last told; `_age_ms`: how long ago, null where never. */
export interface DrainCounted extends Pick<
  DrainCountsRow,
  'frames' | 'lines' | 'bytes' | 'duplicates' | 'flagged' | 'looped' | 'gaps' | 'dropped'
> {
  drain_id: number
  last_frame_id: string | null
  frame_age_ms: number
  gap_age_ms: number | null
  looped_age_ms: number | null
  arrival_lag_ms: number | null
  sources: { source: string; frames: number }[]
}

function selectDrains(database: Database) {
  return database
    .selectFrom('tailrace.drains')
    .select(['drain_id', 'name', 'topic', 'credential_hash', 'config', 'created_at'])
    .select(
      sql<Buffer | null>`case when old_credential_until > now() then old_credential_hash end`.as(
        'old_credential_hash',
      ),
    )
}

export async function getDrain(database: Database, name: string): Promise<DrainRow | undefined> {
  const row = await selectDrains(database).where('name', '=', name).executeTakeFirst()
  return row
}

/** Drains by name, after `after`, whose names begin with `prefix`. */
export async function listDrains(
  database: Database,
  page: { after: string; prefix: string; limit: number },
): Promise<DrainRow[]> {
  const rows = await selectDrains(database)
    .where('name', '>', page.after)
    .where(sql<boolean>`starts_with(name, ${page.prefix})`)
    .orderBy('name')
    .limit(page.limit)
    .execute()
  return rows
}

/** Creates a drain; undefined where one of this name exists. */
export async function createDrain(
  database: Database,
  drain: { name: string; topic: string; credential_hash: Buffer; config: DrainConfig },
): Promise<DrainRow | undefined> {
  const created = await database
    .insertInto('tailrace.drains')
    .values(drain)
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returning('drain_id')
    .executeTakeFirst()
  return created && getDrain(database, drain.name)
}

/** Gives a drain a new credential; the one it has counts for so long yet. Undefined: no such drain. */
export async function rotateCredential(
  database: Database,
  name: string,
  rotation: { credential_hash: Buffer; grace_ms: number },
): Promise<DrainRow | undefined> {
  await database
    .updateTable('tailrace.drains')
    .set({
      old_credential_hash: sql`credential_hash`,
      old_credential_until: sql`now() + ${rotation.grace_ms} * interval '1 millisecond'`,
      credential_hash: rotation.credential_hash,
    })
    .where('name', '=', name)
    .execute()
  return getDrain(database, name)
}

/** False where there is no such drain. */
export async function deleteDrain(pools: StorePools, name: string): Promise<boolean> {
  const result = await withClient(pools.read, (client) =>
    client.query<{ gone: boolean }>('select tailrace.delete_drain($1) as gone', [name]),
  )
  return result.rows[0]?.gone ?? false
}

/** What was counted of a drain up to now; undefined before anything was. */
export async function drainCounts(
  database: Database,
  drainId: number,
): Promise<DrainCountsRow | undefined> {
  const row = await database
    .selectFrom('tailrace.drain_counts')
    .selectAll()
    .where('drain_id', '=', drainId)
    .executeTakeFirst()
  return row
}

/** Where its lines came from, the latest first. */
export function drainSources(
  database: Database,
  drainId: number,
  limit: number,
): Promise<DrainSourceRow[]> {
  return database
    .selectFrom('tailrace.drain_sources')
    .select(['source', 'frames', 'first_seen_at', 'last_seen_at'])
    .where('drain_id', '=', drainId)
    .orderBy('last_seen_at', 'desc')
    .orderBy('source')
    .limit(limit)
    .execute()
}

/** Adds what this node counted; `sources` is how many of them a drain may have. */
export async function countDrains(
  pools: StorePools,
  counted: readonly DrainCounted[],
  sources: number,
): Promise<void> {
  await withClient(pools.read, (client) =>
    client.query({
      name: 'count_drains',
      text: 'select tailrace.count_drains($1, $2)',
      values: [JSON.stringify(counted), sources],
    }),
  )
}
