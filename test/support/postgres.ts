import pg from 'pg'
import { inject } from 'vitest'

/** A database of a test file's own. */
export interface TestDatabase {
  url: string
  /** Runs SQL on a connection of its own and gives the rows. */
  query: <Row extends pg.QueryResultRow>(sql: string, values?: unknown[]) => Promise<Row[]>
  drop: () => Promise<void>
}

let count = 0

/** A fresh database: a copy of the migrated template, or empty. */
export async function createTestDatabase(
  from: 'template' | 'empty' = 'template',
): Promise<TestDatabase> {
  const name = `tailrace_test_${String(process.pid)}_${String(++count)}`
  const admin = inject('database_url')
  const template = from === 'template' ? ` with template ${inject('template')}` : ''
  await query(admin, `create database ${name}${template}`)
  const url = new URL(admin)
  url.pathname = `/${name}`
  return {
    url: url.href,
    query: (sql, values) => query(url.href, sql, values),
    drop: async () => {
      await query(admin, `drop database ${name} with (force)`)
    },
  }
}

async function query<Row extends pg.QueryResultRow>(
  url: string,
  sql: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Row>(sql, values)).rows
  } finally {
    await client.end()
  }
}
