import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FetchedRecord } from '../../src/contract/records.ts'
import { moveLogStart } from '../support/log-start.ts'
import { produce } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  for (const value of [0, 1, 2]) await produce(server.url, 'log', [{ key: 'k', value }, { value }])
  await moveLogStart(server, 'log', 1)
})
afterAll(() => server.stop())

const fetchAs = (accept: string, query: object = {}) =>
  supertest(server.url)
    .get('/v1/topics/log/partitions/0/records')
    .query(query)
    .set('accept', accept)
    .expect(200)

const NDJSON = 'application/x-ndjson'

describe('a page as NDJSON', () => {
  it('is its records, one a line, and three headers say the rest', async () => {
    const { headers, text } = await fetchAs(NDJSON, { offset: 2, max_records: 3 })
    expect(headers).toMatchObject({
      'content-type': 'application/x-ndjson; charset=utf-8',
      'tailrace-next-offset': '5',
      'tailrace-high-watermark': '6',
      'tailrace-log-start-offset': '1',
    })
    expect(text.endsWith('\n')).toBe(true)
    const records = text
      .trimEnd()
      .split('\n')
      .map((line) => FetchedRecord.parse(JSON.parse(line)))
    expect(records.map(({ offset, key, value }) => [offset, key, value])).toEqual([
      [2, 'k', 1],
      [3, undefined, 1],
      [4, 'k', 2],
    ])
  })

  it('holds the same text for each record as JSON does', async () => {
    const json = await fetchAs('application/json')
    const lines = (await fetchAs(NDJSON)).text.trimEnd().split('\n')
    expect(json.text).toContain(`"records":[${lines.join(',')}],`)
  })

  it('without records is no line at all', async () => {
    const { headers, text } = await fetchAs(NDJSON, { from: 'latest' })
    expect(text).toBe('')
    expect(headers['tailrace-next-offset']).toBe('6')
  })
})

describe('Accept', () => {
  it.each([
    ['*/*', false],
    ['application/*', false],
    ['application/json', false],
    ['application/json; charset=utf-8', false],
    ['application/x-ndjson', true],
    ['application/jsonl', true],
    ['application/ndjson', true],
    ['APPLICATION/X-NDJSON', true],
    ['application/x-ndjson; charset=utf-8', true],
    ['application/json, application/x-ndjson;q=0.5', false],
    ['application/json;q=0.5, application/x-ndjson', true],
    ['application/json;q=0.9, application/x-ndjson;q=0.8', false],
    ['application/json;q=0, application/x-ndjson;q=0.1', true],
    ['text/html, application/xhtml+xml, */*;q=0.1', false],
    ['text/html, application/x-ndjson', true],
    ['application/x-ndjson, */*', true],
    ['*/*;q=0.1, application/x-ndjson;q=0.2', true],
  ])('%s', async (accept, isNdjson) => {
    const { headers } = await fetchAs(accept)
    const type = isNdjson ? /^application\/x-ndjson/ : /^application\/json/
    expect(headers['content-type']).toMatch(type)
  })
})
