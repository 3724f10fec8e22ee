import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Sweeper } from '../../src/broker/sweeper.ts'
import { LIMITS } from '../../src/contract/limits.ts'
import { appendBatches, appendFlush } from '../../src/store/append-batches.ts'
import { createDatabase } from '../../src/store/database.ts'
import { deletePartitionChunk, nextDeletedPartition } from '../../src/store/delete-batches.ts'
import { isLockTimeout } from '../../src/store/sqlstate.ts'
import { deleteTopic, getTopic } from '../../src/store/topics.ts'
import { plainFlush } from '../support/flush.ts'
import { openHolder } from '../support/locks.ts'
import { openTestStore, type TestStore } from '../support/log.ts'
import { NO_SEQ_SCANS, scansBy, seqScans } from '../support/statistics.ts'
import { until, within } from '../support/within.ts'

let store: TestStore
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store.close())

const remove = (name: string) => deleteTopic(createDatabase(store.pools.read), name)
const create = async (name: string, partitions: number) =>
  (await store.createTopic(name, partitions)).partition_ids

const batch = { record_count: 1, byte_length: 12, max_timestamp: 0, stamps: true }
const payload = Buffer.from('{"value":1}\n')

const append = (id: number) => appendBatches(store.pools.append, plainFlush(id, [batch], payload))

/** An append with an Idempotency-Key, which leaves a receipt. */
const appendKeyed = (id: number) =>
  appendFlush(store.pools.append, {
    partition_ids: [id],
    batches: [{ ...batch, request: 1, slot: 1 }],
    guards: [{ home: id, key: 'k', digest: 'd', expected: [] }],
    payload: [payload],
  })

/** Many batches at once. */
async function fill({ database }: TestStore, id: number, batches: number): Promise<void> {
  await database.query(
    `insert into tailrace.batches
       (partition_id, base_offset, next_offset, appended_at, max_timestamp, prefix_max_timestamp, payload)
     select $1, n, n + 1, now(), 0, 0, E'{"value":1}\\n' from generate_series(0, $2::int - 1) n`,
    [id, batches],
  )
}

/** How many rows of each table belong to these partitions. */
async function rowsOf(...ids: number[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const table of ['batches', 'receipts', 'log_starts', 'partitions', 'deleted_partitions']) {
    const [row] = await store.database.query<{ count: number }>(
      `select count(*)::int as count from tailrace.${table} where partition_id = any ($1::bigint[])`,
      [ids],
    )
    counts[table] = row!.count
  }
  return counts
}

const NOTHING = { batches: 0, receipts: 0, log_starts: 0, partitions: 0, deleted_partitions: 0 }

async function sweep(): Promise<void> {
  const sweeper = new Sweeper(store.pools, (error) => {
    throw error as Error
  })
  sweeper.sweep()
  await until(async () => (await nextDeletedPartition(store.pools.read)) === undefined)
  await sweeper.close()
}

describe('deleting a topic', () => {
  it('takes it away at once and its rows later, and touches nobody else', async () => {
    const gone = await create('gone', 3)
    const kept = await create('kept', 2)
    for (const id of [...gone, ...kept]) await append(id)
    for (const id of [gone[1]!, kept[0]!]) await appendKeyed(id)
    expect(await remove('gone')).toMatchObject({ name: 'gone', partition_ids: gone })
    expect(await getTopic(createDatabase(store.pools.read), 'gone')).toBeUndefined()
    expect(await rowsOf(...gone)).toEqual({
      ...NOTHING,
      batches: 4,
      receipts: 1,
      deleted_partitions: 3,
    })
    await sweep()
    expect(await rowsOf(...gone)).toEqual(NOTHING)
    expect(await rowsOf(...kept)).toEqual({
      ...NOTHING,
      batches: 3,
      receipts: 1,
      log_starts: 2,
      partitions: 2,
    })
  })

  it('leaves room for a new one of that name, which begins at 0', async () => {
    const [old] = await create('again', 1)
    await append(old!)
    await remove('again')
    const [id] = await create('again', 1)
    expect(await append(id!)).toMatchObject({ status: 'ok', base_offset: 0 })
    await sweep()
    expect(await store.lines(id!)).toEqual(['0 {"value":1}'])
  })

  it('leaves no way into its partitions', async () => {
    const [id] = await create('closed', 1)
    await remove('closed')
    expect(await append(id!)).toMatchObject({ status: 'unknown_partition' })
    expect(await appendKeyed(id!)).toMatchObject([{ status: 'unknown_partition', slot: 1 }])
    expect(await rowsOf(id!)).toEqual({ ...NOTHING, deleted_partitions: 1 })
    await sweep()
  })

  it('that does not exist changes nothing', async () => {
    expect(await remove('nobody')).toBeUndefined()
  })

  it('waits for an append that is under way', async () => {
    const [, id] = await create('busy', 2)
    const holder = await openHolder(store.database.url)
    await holder.lock(id!)
    const removed = remove('busy')
    await until(() => isWaited(id!))
    expect(await rowsOf(id!)).toMatchObject({ log_starts: 1, partitions: 1 })
    await holder.release()
    await removed
    expect(await rowsOf(id!)).toEqual({ ...NOTHING, deleted_partitions: 1 })
  })

  it('is given up, whole, where that append takes too long', async () => {
    const ids = await create('stuck', 2)
    const holder = await openHolder(store.database.url)
    await holder.lock(ids[1]!)
    const error = await within(
      5000,
      remove('stuck').catch((reason: unknown) => reason),
    )
    expect(isLockTimeout(error)).toBe(true)
    expect(await rowsOf(...ids)).toEqual({ ...NOTHING, log_starts: 2, partitions: 2 })
    expect(await append(ids[0]!)).toMatchObject({ status: 'ok' })
  })

  async function isWaited(id: number): Promise<boolean> {
    const rows = await store.database.query(
      `select from pg_locks where locktype = 'advisory' and not granted
         and (classid::bigint << 32) | objid::bigint = tailrace.partition_lock_key($1)`,
      [id],
    )
    return rows.length > 0
  }
})

describe('removing the rows', () => {
  it('goes in bounded chunks', async () => {
    const [id, other] = await create('large', 2)
    const rows = 2 * LIMITS.delete_chunk_rows + 10
    await fill(store, id!, rows)
    await fill(store, other!, 7)
    await remove('large')
    const left: number[] = []
    while (!(await deletePartitionChunk(store.pools.read, id!)))
      left.push((await rowsOf(id!))['batches']!)
    expect(left).toEqual([rows - LIMITS.delete_chunk_rows, 10, 0])
    expect(await rowsOf(id!, other!)).toMatchObject({ batches: 7, deleted_partitions: 1 })
    await sweep()
    expect(await rowsOf(id!, other!)).toEqual(NOTHING)
  })

  it('ends between two chunks when the node stops, and goes on with the next', async () => {
    const [id] = await create('halfway', 1)
    await fill(store, id!, 3 * LIMITS.delete_chunk_rows)
    await remove('halfway')
    const sweeper = new Sweeper(store.pools, () => undefined)
    sweeper.sweep()
    await sweeper.close()
    const { batches } = await rowsOf(id!)
    expect(batches! % LIMITS.delete_chunk_rows).toBe(0)
    expect(batches).toBeGreaterThan(0)
    sweeper.sweep()
    expect(await rowsOf(id!)).toMatchObject({ batches })
    await sweep()
    expect(await rowsOf(id!)).toEqual(NOTHING)
  })

  it.each([
    ['known', 'analyze tailrace.batches'],
    ['not known', 'select 1'],
  ])('finds them by their keys, the sizes of the tables being %s', async (_, prepare) => {
    const fresh = await openTestStore()
    try {
      const [small, huge] = (await fresh.createTopic('both', 2)).partition_ids
      await fill(fresh, small!, 10)
      await fill(fresh, huge!, 20_000)
      await fresh.database.query(prepare)
      for (let chunk = 0; chunk < 8; chunk++) await deletePartitionChunk(fresh.pools.read, small!)
      expect(seqScans(await scansBy(fresh.pools.read))).toEqual(NO_SEQ_SCANS)
    } finally {
      await fresh.close()
    }
  })
})
