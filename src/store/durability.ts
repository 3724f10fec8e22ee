import pg from 'pg'
import { LIMITS } from '../contract/limits.ts'
import type { DatabaseAddress } from './pool.ts'

/** Below 15 the functions of the schema do not exist. */
const OLDEST_VERSION = 150000

/** What keeps this database from holding what Tailrace promises; empty where nothing does. */
export async function durabilityProblems(address: DatabaseAddress): Promise<string[]> {
  const client = new pg.Client({
    ...address,
    application_name: 'tailrace-check',
    connectionTimeoutMillis: LIMITS.start_timeout_ms,
  })
  await client.connect()
  try {
    const result = await client.query<{ name: string; setting: string }>(
      `select name, setting from pg_settings
       where name in ('fsync', 'full_page_writes', 'synchronous_commit', 'server_version_num')`,
    )
    const settings = new Map(result.rows.map((row) => [row.name, row.setting]))
    const problems = ['fsync', 'full_page_writes', 'synchronous_commit']
      .filter((name) => settings.get(name) === 'off')
      .map((name) => `${name} is off`)
    if (Number(settings.get('server_version_num')) < OLDEST_VERSION)
      problems.push('Postgres is older than 15')
    return problems
  } finally {
    await client.end()
  }
}
