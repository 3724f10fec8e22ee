import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fetchRecords, produceRecords } from '../../src/client/index.ts'
import { ask, expectAnswer } from '../support/answers.ts'
import { highWatermarks, postRecords, produce, storedRecords } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

describe('POST /v1/topics/{topic}/records', () => {
  it('answers where the records are, one offset after the other', async () => {
    const first = await produce(server.url, 'orders', [{ value: 1 }, { value: 2 }])
    const second = await produce(server.url, 'orders', [{ value: 3 }])
    expect(first).toEqual({
      topic: 'orders',
      offsets: [{ partition: 0, base_offset: 0, record_count: 2 }],
    })
    expect(second.offsets).toEqual([{ partition: 0, base_offset: 2, record_count: 1 }])
  })

  it('says when it made the topic', async () => {
    const first = await postRecords(server.url, 'made', '{"records":[{"value":1}]}')
    const second = await postRecords(server.url, 'made', '{"records":[{"value":2}]}')
    expect(first.headers['tailrace-topic-created']).toBe('true')
    expect(second.headers).not.toHaveProperty('tailrace-topic-created')
  })

  it('keeps every member of a record', async () => {
    const records = [
      { key: 'k', value: { a: [1, null] }, headers: { h: 'v' }, timestamp: 1795252974170 },
      { key_base64: '/w==', value_base64: 'AAEC', headers_base64: { bin: '/w==' }, timestamp: 0 },
      { key: null, value: null },
      { value: '', headers: {}, headers_base64: { also: '' } },
      { key: '', value: false },
    ]
    await produce(server.url, 'members', records)
    const { records: fetched } = await ask(server.url, fetchRecords, {
      params: { topic: 'members', partition: 0 },
    })
    expect(fetched).toEqual(
      records.map((record, offset) => ({
        ...record,
        offset,
        timestamp: record.timestamp ?? expect.any(Number),
      })),
    )
  })

  it.each([
    ['no space at all', '{"records":[{"value":1},{"value":2}]}'],
    ['space everywhere', ' {\t"records"\r\n: [ { "value" : 1 } ,\n { "value" : 2 } ] } \n'],
    ['other members first', '{"expected_offsets":[],"records":[{"value":1},{"value":2}]}'],
    ['other members last', '{"records":[{"value":1},{"value":2}],"expected_offsets":[]}'],
  ])('reads an envelope with %s', async (name, body) => {
    const topic = name.replaceAll(' ', '-')
    await expectAnswer(produceRecords, await postRecords(server.url, topic, body))
    expect(await storedRecords(server.url, topic)).toEqual(['{"value":1}', '{"value":2}'])
  })

  it.each(['application/json; charset=utf-8', 'APPLICATION/JSON', 'application/hal+json'])(
    'takes %s',
    async (type) => {
      const answer = await postRecords(server.url, 'typed', '{"records":[{"value":1}]}', type)
      await expectAnswer(produceRecords, answer)
    },
  )

  it('takes 10,000 records', async () => {
    const records = Array.from({ length: 10_000 }, (_, value) => ({ value }))
    const { offsets } = await produce(server.url, 'many', records)
    expect(offsets).toEqual([{ partition: 0, base_offset: 0, record_count: 10_000 }])
    expect(await storedRecords(server.url, 'many')).toEqual(
      records.map((record) => JSON.stringify(record)),
    )
  })

  it('spreads one request over partitions, each part contiguous and in the order sent', async () => {
    await supertest(server.url).post('/v1/topics').send({ name: 'spread', partitions: 3 })
    const partitions = [2, 0, 2, 1, 0, 2]
    const { offsets } = await produce(
      server.url,
      'spread',
      partitions.map((partition, value) => ({ value, partition })),
    )
    expect(offsets).toEqual([
      { partition: 0, base_offset: 0, record_count: 2 },
      { partition: 1, base_offset: 0, record_count: 1 },
      { partition: 2, base_offset: 0, record_count: 3 },
    ])
    const stored = await Promise.all([0, 1, 2].map((p) => storedRecords(server.url, 'spread', p)))
    expect(stored).toEqual([
      ['{"value":1}', '{"value":4}'],
      ['{"value":3}'],
      ['{"value":0}', '{"value":2}', '{"value":5}'],
    ])
    expect(await highWatermarks(server.url, 'spread')).toEqual([2, 1, 3])
  })
})
