import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import pg from 'pg'
import { LIMITS } from '../contract/limits.ts'
import type { DatabaseAddress } from './pool.ts'

/** Keeps two servers from migrating the same database at once. */
const MIGRATION_LOCK = 7301001

const MIGRATIONS_FOLDER = new URL('../../migrations/', import.meta.url)

export interface Migration {
  version: number
  name: string
  sql: string
  checksum: string
}

/** The database's schema is not one that this program can work with. */
export class SchemaError extends Error {}

/** Reads NNNN-name.sql files, in order. */
export async function readMigrations(folder: URL = MIGRATIONS_FOLDER): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}-.+\.sql$/.test(name)).sort()
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(new URL(name, folder), 'utf8')
      const checksum = createHash('sha256').update(sql).digest('hex')
      return { version: Number(name.slice(0, 4)), name, sql, checksum }
    }),
  )
}

/** Brings the schema up to date; returns the names of what was applied. One server at a time. */
export async function migrate(
  address: DatabaseAddress,
  migrations: readonly Migration[],
  applied: (name: string) => void = () => undefined,
): Promise<string[]> {
  const client = new pg.Client({
    ...address,
    application_name: 'tailrace-migrate',
    connectionTimeoutMillis: LIMITS.start_timeout_ms,
  })
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    const done = await appliedMigrations(client)
    requireKnown(done, migrations)
    const missing = migrations.filter((migration) => !done.has(migration.version))
    for (const migration of missing) {
      await apply(client, migration)
      applied(migration.name)
    }
    return missing.map((migration) => migration.name)
  } finally {
    await client.end()
  }
}

async function appliedMigrations(client: pg.Client): Promise<Map<number, string>> {
  const exists = await client.query<{ found: boolean }>(
    "select to_regclass('tailrace.migrations') is not null as found",
  )
  if (!exists.rows[0]?.found) {
    await client.query(`create schema if not exists tailrace`)
    await client.query(`create table if not exists tailrace.migrations (
      version int primary key, name text not null, checksum text not null,
      applied_at timestamptz not null default now())`)
  }
  const rows = await client.query<{ version: number; checksum: string }>(
    'select version, checksum from tailrace.migrations order by version',
  )
  return new Map(rows.rows.map((row) => [row.version, row.checksum]))
}

function requireKnown(done: ReadonlyMap<number, string>, migrations: readonly Migration[]): void {
  const known = new Map(migrations.map((migration) => [migration.version, migration]))
  for (const [version, checksum] of done) {
    const migration = known.get(version)
    if (!migration) {
      throw new SchemaError(
        `The database's schema is at version ${String(Math.max(...done.keys()))}, this program knows up to ` +
          `${String(Math.max(0, ...known.keys()))}. Start the newer Tailrace that this database belongs to.`,
      )
    }
    if (migration.checksum !== checksum) {
      throw new SchemaError(
        `Migration ${migration.name} is not the one this database was made with. Restore the file: ` +
          'released migrations never change.',
      )
    }
  }
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  await client.query('begin')
  try {
    await client.query(migration.sql)
    await client.query(
      'insert into tailrace.migrations (version, name, checksum) values ($1, $2, $3)',
      [migration.version, migration.name, migration.checksum],
    )
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  }
}

/** Is the schema exactly the one this program was made for? Asked by the readiness check. */
export async function schemaVersion(pool: pg.Pool): Promise<number> {
  const result = await pool.query<{ version: number }>(
    'select coalesce(max(version), 0) as version from tailrace.migrations',
  )
  return result.rows[0]?.version ?? 0
}
