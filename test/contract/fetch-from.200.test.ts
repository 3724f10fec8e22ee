import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic, fetchRecords, type FetchResponse } from '../../src/client/index.ts'
import { ask } from '../support/answers.ts'
import { moveLogStart } from '../support/log-start.ts'
import { produce } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

const FIRST = Date.parse('2026-11-21T09:00:00Z')
const MINUTE = 60_000

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await ask(server.url, createTopic, { body: { name: 'empty' } })
  for (const topic of ['log', 'trimmed']) {
    // Ten records, a minute apart, in batches of five.
    for (const start of [0, 5]) {
      await produce(
        server.url,
        topic,
        [0, 1, 2, 3, 4].map((n) => ({ value: start + n, timestamp: FIRST + (start + n) * MINUTE })),
      )
    }
  }
  await moveLogStart(server, 'trimmed', 3)
})
afterAll(() => server.stop())

function fetchFrom(topic: string, from: string): Promise<FetchResponse> {
  return ask(server.url, fetchRecords, { params: { topic, partition: 0 }, query: { from } })
}

describe('from=', () => {
  it.each([
    ['earliest', 0],
    ['latest', 10],
    ['-1', 9],
    ['-4', 6],
    ['-10', 0],
    ['-11', 0],
    ['-999999999999999', 0],
    ['-0', 10],
    ['2026-11-21T09:00:00Z', 0],
    ['2026-11-21T09:00:00.001Z', 1],
    ['2026-11-21T10:04:00+01:00', 4],
    ['2026-11-21T09:04:59.999Z', 5],
    ['2026-11-21T09:09:00Z', 9],
    ['2026-11-21T09:09:00.001Z', 10],
    ['1970-01-01T00:00:00Z', 0],
    ['9999-12-31T23:59:59Z', 10],
    ['0', 0],
    [String(FIRST + 2 * MINUTE), 2],
    [String(FIRST + 2 * MINUTE + 1), 3],
    ['8640000000000000', 10],
  ])('%s', async (from, offset) => {
    const page = await fetchFrom('log', from)
    const values = page.records.map(({ value }) => value)
    expect(values).toEqual(Array.from({ length: 10 - offset }, (_, n) => offset + n))
    expect(page.next_offset).toBe(10)
  })

  it.each(['earliest', '-8', '-9', '-10', '2026-11-21T09:00:00Z', '0'])(
    '%s never reaches before the log start',
    async (from) => {
      const page = await fetchFrom('trimmed', from)
      expect(page.records[0]!.value).toBe(3)
      expect(page.log_start_offset).toBe(3)
    },
  )

  it.each(['earliest', 'latest', '-5', '0', '2026-11-21T09:00:00Z'])(
    '%s of an empty log is its end',
    async (from) => {
      const page = await fetchFrom('empty', from)
      expect(page).toMatchObject({ records: [], next_offset: 0, high_watermark: 0 })
    },
  )
})
