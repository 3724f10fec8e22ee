import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fetchRecords, type FetchResponse } from '../../src/client/index.ts'
import { ask } from '../support/answers.ts'
import { produce } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

/** Records in each request; each request is stored as one batch. */
const BATCHES = [7, 1, 12, 3, 1, 1, 9, 5]
const COUNT = BATCHES.reduce((sum, size) => sum + size)

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  let value = 0
  for (const size of BATCHES) {
    await produce(
      server.url,
      'log',
      Array.from({ length: size }, () => ({ key: 'k', value: value++ })),
    )
  }
})
afterAll(() => server.stop())

type Query = NonNullable<Parameters<typeof ask<typeof fetchRecords>>[2]>['query']

function fetchPage(query: Query = {}, topic = 'log'): Promise<FetchResponse> {
  return ask(server.url, fetchRecords, { params: { topic, partition: 0 }, query })
}

/** Follows next_offset to the end. */
async function pagesFrom(offset: number, query: Query): Promise<FetchResponse[]> {
  const pages = []
  for (let next = offset; next < COUNT;) {
    const page = await fetchPage({ ...query, offset: next })
    expect(page.records.length).toBeGreaterThan(0)
    next = page.next_offset
    pages.push(page)
  }
  return pages
}

describe('GET /v1/topics/{topic}/partitions/{p}/records', () => {
  it('is the log from the beginning where nothing else is asked', async () => {
    const page = await fetchPage()
    expect(page).toEqual({
      topic: 'log',
      partition: 0,
      records: Array.from({ length: COUNT }, (_, offset) => ({
        offset,
        timestamp: expect.any(Number),
        key: 'k',
        value: offset,
      })),
      next_offset: COUNT,
      high_watermark: COUNT,
      log_start_offset: 0,
    })
  })

  it.each([1, 2, 5, 7, 8, 1000])(
    'by pages of %i, misses and repeats nothing',
    async (max_records) => {
      const pages = await pagesFrom(0, { max_records })
      const offsets = pages.flatMap(({ records }) => records.map(({ offset }) => offset))
      expect(offsets).toEqual(Array.from({ length: COUNT }, (_, offset) => offset))
      for (const { records } of pages.slice(0, -1))
        expect(records).toHaveLength(Math.min(max_records, COUNT))
      for (const page of pages) {
        expect(page.next_offset).toBe(page.records.at(-1)!.offset + 1)
        expect(page.high_watermark).toBe(COUNT)
      }
    },
  )

  it('begins at any offset, within batches too', async () => {
    for (let offset = 0; offset < COUNT; offset++) {
      const { records } = await fetchPage({ offset, max_records: 3 })
      const expected = [offset, offset + 1, offset + 2].filter((value) => value < COUNT)
      expect(records.map(({ value }) => value)).toEqual(expected)
    }
  })

  it('at the end of the log is empty, and stays there', async () => {
    const page = await fetchPage({ offset: COUNT })
    expect(page).toMatchObject({ records: [], next_offset: COUNT, high_watermark: COUNT })
  })

  it('holds at most 1,000 records unless asked, and at most 10,000', async () => {
    const records = Array.from({ length: 10_000 }, (_, value) => ({ value }))
    await produce(server.url, 'many', records)
    await produce(server.url, 'many', [{ value: 'last' }])
    expect((await fetchPage({}, 'many')).next_offset).toBe(1000)
    const most = await fetchPage({ max_records: 10_000 }, 'many')
    expect(most.next_offset).toBe(10_000)
    expect(most.records.map(({ value }) => value)).toEqual(records.map(({ value }) => value))
  })

  it('of a topic without records is empty', async () => {
    await produce(server.url, 'other', [{ value: 1 }])
    const { offsets } = await produce(server.url, 'other', [{ value: 2 }])
    expect(offsets[0]!.base_offset).toBe(1)
    expect((await fetchPage({ offset: 2 }, 'other')).records).toEqual([])
  })
})
