import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createTopic,
  fetchRecords,
  getLiveness,
  type FetchResponse,
} from '../../src/client/index.ts'
import { ask } from '../support/answers.ts'
import { produce } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

/** Far longer than a test may take: who waits it out fails. */
const LONG = 60_000

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

type Query = NonNullable<Parameters<typeof ask<typeof fetchRecords>>[2]>['query']

function fetchPage(topic: string, query: Query): Promise<FetchResponse> {
  return ask(server.url, fetchRecords, {
    params: { topic, partition: 0 },
    query: { max_wait_ms: LONG, ...query },
  })
}

const values = (count: number, bytes: number) =>
  Array.from({ length: count }, () => ({ value: 'x'.repeat(bytes) }))

describe('min_bytes', () => {
  it('waits until that much is there', async () => {
    await ask(server.url, createTopic, { body: { name: 'growing' } })
    const waiting = fetchPage('growing', { offset: 0, min_bytes: 1000 })
    await ask(server.url, getLiveness)
    await produce(server.url, 'growing', [{ value: 'too little' }])
    await produce(server.url, 'growing', values(1, 2000))
    expect((await waiting).next_offset).toBe(2)
  })

  it('without max_wait_ms waits for nothing', async () => {
    await produce(server.url, 'small', [{ value: 1 }])
    const page = await fetchPage('small', { offset: 0, min_bytes: 1000, max_wait_ms: 0 })
    expect(page.next_offset).toBe(1)
  })

  it('gives what there is when the time is over', async () => {
    await produce(server.url, 'some', [{ value: 1 }])
    const page = await fetchPage('some', { offset: 0, min_bytes: 1000, max_wait_ms: 20 })
    expect(page.next_offset).toBe(1)
  })

  it('does not wait where the page has all the records it may have', async () => {
    await produce(server.url, 'counted', values(3, 10))
    const page = await fetchPage('counted', { offset: 0, max_records: 2, min_bytes: 100_000 })
    expect(page.next_offset).toBe(2)
  })

  it('does not wait where the page has all the bytes it may have', async () => {
    await produce(server.url, 'full', values(10, 100))
    const page = await fetchPage('full', { offset: 0, max_bytes: 500, min_bytes: 500 })
    expect(page.next_offset).toBeGreaterThan(0)
    expect(page.next_offset).toBeLessThan(10)
  })

  it('does not wait where one record is already more', async () => {
    await produce(server.url, 'single', values(2, 5000))
    const page = await fetchPage('single', { offset: 0, max_bytes: 100, min_bytes: 100_000 })
    expect(page.next_offset).toBe(1)
  })

  it('is met by later batches where the first one has little left', async () => {
    // Most of the first batch lies before the offset.
    await produce(server.url, 'uneven', [...values(1, 60_000), ...values(1, 10)])
    await produce(server.url, 'uneven', values(5, 2000))
    const page = await fetchPage('uneven', { offset: 1, max_bytes: 20_000, min_bytes: 5000 })
    expect(page.next_offset).toBe(7)
  })
})
