import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fetchRecords } from '../../src/client/index.ts'
import { ask } from '../support/answers.ts'
import { produce } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  // Two batches, with characters of one to four bytes.
  await produce(server.url, 'log', [{ value: 'a' }, { value: 'éé', key: 'k' }, { value: '😀' }])
  await produce(server.url, 'log', [{ value: '漢字' }, { value: '' }])
})
afterAll(() => server.stop())

const PATH = '/v1/topics/log/partitions/0/records'

/** What max_bytes bounds: the records of a page as text, with what stands between them. */
const FORMS: [string, (query: object) => Promise<string>][] = [
  [
    'JSON',
    async (query) => {
      const { text } = await supertest(server.url).get(PATH).query(query).expect(200)
      return text.slice(text.indexOf('[') + 1, text.lastIndexOf(']'))
    },
  ],
  [
    'NDJSON',
    async (query) => {
      const request = supertest(server.url).get(PATH).query(query)
      return (await request.accept('application/x-ndjson').expect(200)).text
    },
  ],
]

describe.each(FORMS)('max_bytes of a page as %s', (_, page) => {
  it('is never passed, but by a single record', async () => {
    const all = Buffer.byteLength(await page({}))
    for (let offset = 0; offset < 5; offset++) {
      for (let max_bytes = 1; max_bytes <= all + 1; max_bytes++) {
        const text = await page({ offset, max_bytes })
        const records = text.match(/"offset":/g)?.length ?? 0
        expect(records).toBeGreaterThan(0)
        const bytes = Buffer.byteLength(text)
        if (records > 1) expect(bytes, `offset ${offset}, ${bytes}`).toBeLessThanOrEqual(max_bytes)
      }
    }
  })

  it('lets in as much as fits', async () => {
    const all = await page({})
    expect(await page({ max_bytes: Buffer.byteLength(all) })).toBe(all)
    const last = await page({ offset: 3 })
    expect(await page({ offset: 3, max_bytes: Buffer.byteLength(last) })).toBe(last)
  })
})

describe('a record larger than max_bytes', () => {
  it('comes alone, and the next page goes on behind it', async () => {
    const large = 'x'.repeat(200_000)
    await produce(server.url, 'mixed', [{ value: 1 }, { value: large }, { value: 2 }, { value: 3 }])
    const fetchPage = (offset: number) =>
      ask(server.url, fetchRecords, {
        params: { topic: 'mixed', partition: 0 },
        query: { offset, max_bytes: 1000 },
      })
    const pages = [await fetchPage(0), await fetchPage(1), await fetchPage(2)]
    expect(pages.map(({ records }) => records.map(({ value }) => value))).toEqual([
      [1],
      [large],
      [2, 3],
    ])
    expect(pages.map(({ next_offset }) => next_offset)).toEqual([1, 2, 4])
  })
})

describe('max_bytes that is not given', () => {
  it('is 1 MiB', async () => {
    await produce(
      server.url,
      'large',
      Array.from({ length: 30 }, () => ({ value: 'x'.repeat(100_000) })),
    )
    const params = { topic: 'large', partition: 0 }
    const page = await ask(server.url, fetchRecords, { params })
    expect(page.next_offset).toBe(10)
    const all = await ask(server.url, fetchRecords, { params, query: { max_bytes: 16_777_216 } })
    expect(all.next_offset).toBe(30)
  })
})
