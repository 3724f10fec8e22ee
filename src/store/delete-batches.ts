import type pg from 'pg'
import { LIMITS } from '../contract/limits.ts'
import { rowsOf, withClient } from './pool.ts'

/** A partition whose topic was deleted and whose rows are still there. */
export async function nextDeletedPartition(pool: pg.Pool): Promise<number | undefined> {
  const [deleted] = await rowsOf<{ partition_id: number }>(pool, {
    text: 'select partition_id from tailrace.deleted_partitions order by partition_id limit 1',
  })
  return deleted?.partition_id
}

const DELETE_CHUNK = `
  with batch as (
    delete from tailrace.batches where partition_id = $1 and base_offset in (
      select base_offset from tailrace.batches where partition_id = $1 order by base_offset limit $2)
    returning 1
  ), receipt as (
    delete from tailrace.receipts where partition_id = $1 and idempotency_key in (
      select idempotency_key from tailrace.receipts where partition_id = $1 limit $2)
    returning 1
  )
  select (select count(*) from batch) + (select count(*) from receipt) as removed`

/** Removes one bounded chunk of a deleted partition's rows; true once nothing is left of it. */
export async function deletePartitionChunk(pool: pg.Pool, partitionId: number): Promise<boolean> {
  return withClient(pool, async (client) => {
    const result = await client.query<{ removed: number }>({
      name: 'delete_chunk',
      text: DELETE_CHUNK,
      values: [partitionId, LIMITS.delete_chunk_rows],
    })
    if (result.rows[0]?.removed !== 0) return false
    await client.query('delete from tailrace.deleted_partitions where partition_id = $1', [
      partitionId,
    ])
    return true
  })
}
