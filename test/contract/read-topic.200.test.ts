import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic } from '../../src/client/index.ts'
import { FetchedRecord } from '../../src/contract/records.ts'
import { ask } from '../support/answers.ts'
import { produce } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

/** Reads a topic by the short door; each line must be a record as the contract has it, and its partition. */
async function read(
  topic: string,
  accept = '*/*',
): Promise<{ partition: number; offset: number; value: unknown }[]> {
  const { text, headers } = await supertest(server.url)
    .get(`/t/${topic}?until=latest`)
    .set('accept', accept)
    .expect(200)
  expect(headers['content-type']).toBe('application/x-ndjson; charset=utf-8')
  expect(headers['link']).toBe(`</v1/topics/${topic}>; rel="describedby"`)
  if (text === '') return []
  expect(text.endsWith('\n')).toBe(true)
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => {
      const { partition, ...record } = JSON.parse(line) as { partition: number }
      return { partition, value: undefined, ...FetchedRecord.parse(record) }
    })
}

describe('GET /t/{topic}?until=latest', () => {
  it('is every record, partition after partition', async () => {
    await ask(server.url, createTopic, { body: { name: 'three', partitions: 3 } })
    for (const value of ['a', 'b']) {
      await produce(
        server.url,
        'three',
        [2, 0].map((partition) => ({ value, partition })),
      )
    }
    const records = await read('three')
    expect(records.map(({ partition, offset, value }) => [partition, offset, value])).toEqual([
      [0, 0, 'a'],
      [0, 1, 'b'],
      [2, 0, 'a'],
      [2, 1, 'b'],
    ])
  })

  it('goes on past a page', async () => {
    const values = Array.from({ length: 3500 }, (_, value) => value)
    await produce(
      server.url,
      'long',
      values.map((value) => ({ value })),
    )
    expect((await read('long')).map(({ value }) => value)).toEqual(values)
  })

  it('holds records larger than a page', async () => {
    const value = 'x'.repeat(900_000)
    for (let n = 0; n < 3; n++) await produce(server.url, 'large', [{ value }, { value: n }])
    expect((await read('large')).map((record) => String(record.value).length)).toEqual([
      900_000, 1, 900_000, 1, 900_000, 1,
    ])
  })

  it('of an empty topic is nothing', async () => {
    await ask(server.url, createTopic, { body: { name: 'empty', partitions: 5 } })
    expect(await read('empty')).toEqual([])
  })

  it.each(['application/x-ndjson', 'application/jsonl', 'text/plain', 'text/html, */*;q=0.8'])(
    'answers those who accept %s',
    async (accept) => {
      await produce(server.url, 'accepted', [{ value: 1 }])
      expect((await read('accepted', accept)).length).toBeGreaterThan(0)
    },
  )
})
