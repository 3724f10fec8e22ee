import pg from 'pg'
import { onTestFinished } from 'vitest'

/** A session of somebody else's, with a transaction open in which it can lock partitions. */
export interface Holder {
  lock: (...partitionIds: number[]) => Promise<void>
  /** Ends the transaction. */
  release: () => Promise<void>
}

export async function openHolder(url: string): Promise<Holder> {
  const client = new pg.Client({ connectionString: url, application_name: 'holder' })
  await client.connect()
  await client.query('begin')
  onTestFinished(() => client.end())
  return {
    lock: async (...partitionIds) => {
      for (const id of partitionIds) {
        await client.query('select pg_advisory_xact_lock(tailrace.partition_lock_key($1))', [id])
      }
    },
    release: async () => {
      await client.query('rollback')
    },
  }
}
