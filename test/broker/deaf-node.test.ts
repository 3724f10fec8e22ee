import { afterAll, beforeAll, expect, it } from 'vitest'
import { Tail } from '../../src/broker/tail.ts'
import { createBroker, closeBroker, drainBroker, startBroker } from '../../src/broker/broker.ts'
import { createPools } from '../../src/store/pool.ts'
import { openDeafProxy } from '../support/deaf-proxy.ts'
import type { PostgresProxy } from '../support/postgres-proxy.ts'
import { plainFlush } from '../support/flush.ts'
import { openTestStore, type TestStore } from '../support/log.ts'
import { appendBatches } from '../../src/store/append-batches.ts'
import { writeTailPage } from '../../src/records/tail-page.ts'
import { until } from '../support/within.ts'

let store: TestStore
let proxy: PostgresProxy
beforeAll(async () => {
  store = await openTestStore()
  proxy = await openDeafProxy(store.database.url)
})
afterAll(async () => {
  await proxy.close()
  await store.close()
})

it('a node that hears nothing says so, and its tails find what other nodes append', async () => {
  const { partition_ids } = await store.createTopic('deaf', 1)
  const address = { connectionString: proxy.url }
  const reasons: unknown[] = []
  const broker = createBroker(
    createPools(address, () => undefined),
    {
      address,
      auto_create_topics: false,
      schema_version: 0,
      failed: () => undefined,
      deaf: (reason) => reasons.push(reason),
    },
  )
  startBroker(broker)
  await until(() => reasons.length > 0)
  expect(String(reasons[0])).toContain('transaction mode')

  const over = new AbortController()
  const tail = await Tail.open(
    broker,
    { topics: ['deaf'], from: { kind: 'latest' }, names_topics: false, on_truncated: 'continue' },
    over.signal,
  )
  const payload = Buffer.from('{"value":1}\n')
  const batch = { record_count: 1, byte_length: payload.length, max_timestamp: 0, stamps: true }
  await appendBatches(store.pools.append, plainFlush(partition_ids[0]!, [batch], payload))
  const types: string[] = []
  while (types.at(-1) !== 'records') types.push((await tail.next(write, () => 10))!.type)
  expect(types).toEqual(['begin', 'up_to_date', 'records'])
  over.abort()
  drainBroker(broker)
  await closeBroker(broker)
})

const write: Parameters<Tail['next']>[0] = ({ batches, offset }) =>
  writeTailPage(
    batches,
    offset,
    { max_records: 10, max_bytes: 1000 },
    { before: '', after: () => '' },
  )
