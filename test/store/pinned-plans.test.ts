import { afterEach, beforeEach, expect, it } from 'vitest'
import { appendBatches, appendFlush } from '../../src/store/append-batches.ts'
import { fetchBatches, findTimestamp, partitionBounds } from '../../src/store/fetch-batches.ts'
import { plainFlush } from '../support/flush.ts'
import { openTestStore, type TestStore } from '../support/log.ts'
import { NO_SEQ_SCANS, scansBy, seqScans } from '../support/statistics.ts'

/**
 * Postgres keeps a plan made while a table was empty, when reading all of it was cheapest. The statements of
 * the hot path must go by the primary key from the first call on, and still when the table has grown.
 */
let store: TestStore
let ids: number[]
beforeEach(async () => {
  store = await openTestStore()
  ids = (await store.createTopic('t', 3)).partition_ids
})
afterEach(() => store.close())

const payload = Buffer.from('{"value":1}\n')
const batch = { record_count: 1, byte_length: payload.length, max_timestamp: 0, stamps: true }

/** Every statement of the hot path, once. */
async function useAll(round: number): Promise<void> {
  const [a, b, c] = ids as [number, number, number]
  const flush = plainFlush(a, [batch], payload)
  await appendBatches(store.pools.append, flush)
  await appendBatches(store.pools.waiting, flush, {
    partition_id: a,
    until: performance.now() + 1000,
  })
  await appendFlush(store.pools.append, {
    partition_ids: [a, b, c],
    batches: [
      { ...batch, request: 0, slot: 1 },
      { ...batch, request: 1, slot: 2 },
      { ...batch, request: 2, slot: 3 },
    ],
    guards: [
      { home: b, key: `k${String(round)}`, digest: 'd', expected: [] },
      { home: c, key: null, digest: null, expected: [[c, round]] },
    ],
    payload: [payload, payload, payload],
  })
  const bounds = { max_records: 10, max_bytes: 1000 }
  for (const kind of ['offset', 'earliest', 'latest', 'last'] as const) {
    await fetchBatches(store.pools, a, { kind, offset: 0 }, bounds)
  }
  await findTimestamp(store.pools, a, 0, Date.now())
  await partitionBounds(store.pools, ids)
}

async function expectNoSeqScans(): Promise<void> {
  for (const pool of [store.pools.append, store.pools.waiting, store.pools.read]) {
    expect(seqScans(await scansBy(pool))).toEqual(NO_SEQ_SCANS)
  }
}

it('no statement of the hot path scans a table that began empty', async () => {
  for (let round = 0; round < 20; round++) await useAll(round)
  await expectNoSeqScans()
  const { batches } = await scansBy(store.pools.read)
  expect(batches?.idx_scan).toBeGreaterThan(100)
})

it('nor one that has grown since the plans were made', async () => {
  for (let round = 0; round < 10; round++) await useAll(round)
  await store.database.query(
    `insert into tailrace.batches
       (partition_id, base_offset, next_offset, appended_at, max_timestamp, prefix_max_timestamp, payload)
     select 1000000 + n % 10, n, n + 1, now(), 0, 0, E'{"value":1}\\n' from generate_series(1, 20000) n`,
  )
  await store.database.query('analyze tailrace.batches')
  for (let round = 10; round < 20; round++) await useAll(round)
  await expectNoSeqScans()
})

it('nor one whose statistics say that it is empty', async () => {
  await store.database.query('analyze tailrace.batches, tailrace.receipts, tailrace.log_starts')
  for (let round = 0; round < 10; round++) await useAll(round)
  await expectNoSeqScans()
})

it('a time is found by halving, not by going through the log', async () => {
  const batches = 4096
  await store.database.query(
    `insert into tailrace.batches
       (partition_id, base_offset, next_offset, appended_at, max_timestamp, prefix_max_timestamp, payload)
     select $1, n, n + 1, now(), n, n, format(E'{"timestamp":%s,"value":1}\\n', n)::bytea
       from generate_series(0, $2::int - 1) n`,
    [ids[0], batches],
  )
  for (const timestamp of [1, 1000, batches - 1]) {
    const before = await scansBy(store.pools.read)
    const found = await findTimestamp(store.pools, ids[0]!, 0, timestamp)
    expect(found?.base_offset).toBe(timestamp)
    const after = await scansBy(store.pools.read)
    expect(after['batches']!.idx_scan - before['batches']!.idx_scan).toBeLessThan(30)
  }
})
