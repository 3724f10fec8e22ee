import type { PostgresPool, PostgresPoolClient } from 'kysely'
import pg from 'pg'
import { LIMITS } from '../contract/limits.ts'
import { NotConnected } from './sqlstate.ts'
import { types } from './types.ts'

/** Where the database is: a connection string, or what the embedded Postgres says of itself. */
export type DatabaseAddress =
  { connectionString: string } | { host: string; port: number; user: string; database: string }

export interface StorePools {
  /** One connection: one flush in flight for the whole process. More lanes were slower on two cores. */
  append: pg.Pool
  /** Flushes that wait for a partition somebody else has locked. */
  waiting: pg.Pool
  /** Fetches, the control plane and polls. */
  read: pg.Pool
  end(): Promise<void>
}

/** Two cores do not read faster with more, and other nodes need their share of max_connections. */
const READ_CONNECTIONS = 8
/** Partitions that may be stuck at the same time before others' waits are cut short. */
const WAITING_CONNECTIONS = 4

/** Opens no connection yet; each is opened when first needed, and again after it was lost. */
export function createPools(address: DatabaseAddress, onError: (error: Error) => void): StorePools {
  const base: pg.PoolConfig = {
    ...address,
    types,
    keepAlive: true,
    connectionTimeoutMillis: LIMITS.connect_timeout_ms,
    application_name: 'tailrace',
  }
  const pool = (max: number, timeoutMs: number) => {
    const created = new pg.Pool({
      ...base,
      max,
      query_timeout: timeoutMs,
      idleTimeoutMillis: 60_000,
    })
    // An idle connection was lost; the pool opens another when it needs one.
    created.on('error', onError)
    // Between a connection's making and its taking nobody listens: lost just then, it would end the process.
    created.on('connect', (client) => client.on('error', () => undefined))
    return created
  }
  const append = pool(1, LIMITS.flush_timeout_ms)
  const waiting = pool(WAITING_CONNECTIONS, LIMITS.flush_timeout_ms)
  const read = pool(READ_CONNECTIONS, LIMITS.read_timeout_ms)
  const all = [append, waiting, read]
  return {
    append,
    waiting,
    read,
    end: async () => {
      await Promise.all(all.map((one) => one.end()))
    },
  }
}

/** The pool of the database that holds this partition. There is one, today. */
export function poolOf(
  pools: StorePools,
  _partitionId: number,
  use: 'append' | 'waiting' | 'read',
): pg.Pool {
  return pools[use]
}

/** A connection taken from a pool, watched while it is out. */
interface Lease {
  client: pg.PoolClient
  /** Notes what a statement failed with; anything but a server's own answer spoils the connection. */
  failed: (error: unknown) => void
  release: () => void
}

/**
 * Takes a connection. One that is lost meanwhile, or on which a statement was given up, is cut when it comes
 * back: the statement may still be running there, and the next to use it would be part of its transaction.
 */
async function take(pool: pg.Pool): Promise<Lease> {
  const client = await pool.connect().catch((cause: unknown) => {
    throw new NotConnected(cause)
  })
  let broken: Error | undefined
  // Without a listener a lost connection would end the process.
  const lost = (error: Error) => (broken = error)
  client.on('error', lost)
  return {
    client,
    failed: (error) => {
      if (!(error instanceof pg.DatabaseError)) broken = error as Error
    },
    release: () => {
      client.off('error', lost)
      if (broken) cut(client)
      client.release(broken)
    },
  }
}

/** Runs statements on one connection of the pool. */
export async function withClient<T>(
  pool: pg.Pool,
  run: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const lease = await take(pool)
  try {
    return await run(lease.client)
  } catch (error) {
    lease.failed(error)
    throw error
  } finally {
    lease.release()
  }
}

/** The rows of one statement on any connection of the pool. With a name it is prepared under that. */
export async function rowsOf<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  query: pg.QueryConfig,
): Promise<Row[]> {
  const { rows } = await withClient(pool, (client) => client.query<Row>(query))
  return rows
}

/** The pool as kysely wants it, with connections watched like all others. */
export function watchedPool(pool: pg.Pool): PostgresPool {
  return {
    connect: async () => {
      const lease = await take(pool)
      const query = async (text: string, values: readonly unknown[]) => {
        try {
          return await lease.client.query(text, [...values])
        } catch (error) {
          lease.failed(error)
          throw error
        }
      }
      // Cursors, the other form of query, are not used.
      return { query, release: lease.release } as unknown as PostgresPoolClient
    },
    end: () => pool.end(),
  }
}

/** Closes the socket without the farewell that a silent server would never read. */
function cut(client: pg.PoolClient): void {
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } }
  connection.stream.destroy()
}
