import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fetchRecord, produceRecords } from '../../src/client/index.ts'
import { ask, expectAnswer } from '../support/answers.ts'
import { postRecords } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

async function stampOf(record: string): Promise<number> {
  const response = await postRecords(server.url, 'stamps', `{"records":[${record}]}`)
  const { offsets } = await expectAnswer(produceRecords, response)
  const offset = offsets[0]!.base_offset
  const params = { topic: 'stamps', partition: 0, offset }
  return (await ask(server.url, fetchRecord, { params })).timestamp
}

describe('the timestamp of a record', () => {
  it.each([
    ['0', 0],
    ['1', 1],
    ['1795252974170', 1795252974170],
    ['8640000000000000', 8_640_000_000_000_000],
    ['"2026-11-21T09:22:54.170Z"', 1795252974170],
    ['"2026-11-21T09:22:54Z"', 1795252974000],
    ['"2026-11-21t09:22:54.17z"', 1795252974170],
    ['"2026-11-21T10:22:54.170+01:00"', 1795252974170],
    ['"2026-11-21T03:52:54.170-05:30"', 1795252974170],
    ['"2026-11-21T09:22:54.170000000Z"', 1795252974170],
    ['"2024-02-29T00:00:00Z"', 1709164800000],
    ['"1970-01-01T00:00:00Z"', 0],
    ['"9999-12-31T23:59:59.999Z"', 253402300799999],
  ])('%s', async (timestamp, ms) => {
    expect(await stampOf(`{"timestamp":${timestamp},"value":1}`)).toBe(ms)
    expect(await stampOf(`{"value":1,"timestamp":${timestamp}}`)).toBe(ms)
    expect(await stampOf(`{ "timestamp" : ${timestamp} , "value":1}`)).toBe(ms)
  })

  it('is the time of storing where none is given', async () => {
    const before = Date.now()
    const stamp = await stampOf('{"value":1}')
    // The database's clock, which is this machine's.
    expect(stamp).toBeGreaterThanOrEqual(before - 1)
    expect(stamp).toBeLessThanOrEqual(Date.now() + 1)
  })
})
