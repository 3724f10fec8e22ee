import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic, produceRecords, send } from '../../src/client/index.ts'
import { ask } from '../support/answers.ts'
import { highWatermarks, produce } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

describe('expected_offsets', () => {
  it('stores where the high watermarks are as expected', async () => {
    await ask(server.url, createTopic, { body: { name: 'held', partitions: 2 } })
    await produce(server.url, 'held', [{ value: 1, partition: 1 }])
    const { offsets } = await ask(server.url, produceRecords, {
      params: { topic: 'held' },
      body: {
        records: [{ value: 2, partition: 0 }],
        // Also of a partition that the request does not write to.
        expected_offsets: [
          { partition: 1, offset: 1 },
          { partition: 0, offset: 0 },
        ],
      },
    })
    expect(offsets).toEqual([{ partition: 0, base_offset: 0, record_count: 1 }])
    expect(await highWatermarks(server.url, 'held')).toEqual([1, 1])
  })

  it('an empty list expects nothing', async () => {
    for (const value of [1, 2]) {
      await ask(server.url, produceRecords, {
        params: { topic: 'free' },
        body: { records: [{ value }], expected_offsets: [] },
      })
    }
    expect(await highWatermarks(server.url, 'free')).toEqual([2])
  })

  it('may name a topic that is made by the request', async () => {
    await ask(server.url, produceRecords, {
      params: { topic: 'fresh' },
      body: { records: [{ value: 1 }], expected_offsets: [{ partition: 0, offset: 0 }] },
    })
    expect(await highWatermarks(server.url, 'fresh')).toEqual([1])
  })

  it('lets one of many through who expect the same', async () => {
    await supertest(server.url).post('/v1/topics').send({ name: 'race' })
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, value) =>
        send(server.url, produceRecords, {
          params: { topic: 'race' },
          body: { records: [{ value }], expected_offsets: [{ partition: 0, offset: 0 }] },
        }),
      ),
    )
    const statuses = answers.map(({ status }) => status).sort()
    expect(statuses).toEqual([200, 412, 412, 412, 412, 412, 412, 412])
    expect(await highWatermarks(server.url, 'race')).toEqual([1])
  })
})
