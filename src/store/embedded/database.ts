import { Client } from 'pg'
import { SUPERUSER } from './cluster.ts'
import { PORT } from './socket-directory.ts'

export const DATABASE = 'tailrace'

/**
 * Connects once, which is also the proof that Postgres answers, and makes the database when there
 * is none: on the first start, or when an earlier first start was killed before this.
 */
export async function ensureDatabase(socket_dir: string): Promise<void> {
  const client = clientFor(socket_dir)
  try {
    await client.connect()
    const sql = 'select 1 from pg_database where datname = $1'
    const { rows } = await client.query(sql, [DATABASE])
    if (rows.length === 0) await client.query(`create database ${DATABASE}`)
  } finally {
    await client.end()
  }
}

/** `ssl` is said aloud, or PGSSLMODE in the environment would ask a Unix socket for TLS. */
function clientFor(host: string): Client {
  const whom = { host, port: PORT, user: SUPERUSER, database: 'postgres' }
  const client = new Client({ ...whom, ssl: false, connectionTimeoutMillis: 10_000 })
  client.on('error', () => {
    // A connection that breaks also fails the query on it, and that is where it is handled.
  })
  return client
}
