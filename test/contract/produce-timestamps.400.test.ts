import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectProblem } from '../support/answers.ts'
import { postRecords, topicNames } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
// Nothing here may have made a topic.
afterAll(async () => {
  const names = await topicNames(server.url)
  await server.stop()
  expect(names).toEqual([])
})

describe('a timestamp that names no time', () => {
  it.each([
    // Numbers
    ['-1'],
    ['1.5'],
    ['1e3'],
    ['8640000000000001'],
    ['99999999999999999999'],
    // Not a number, nor text
    ['null'],
    ['true'],
    ['{}'],
    ['[0]'],
    // Text that is not RFC 3339
    ['""'],
    ['"yesterday"'],
    ['"1795252974170"'],
    ['"2026-11-21"'],
    ['"2026-11-21T09:22:54"'],
    ['"2026-11-21T09:22Z"'],
    ['"20261121T092254Z"'],
    ['" 2026-11-21T09:22:54Z"'],
    ['"2026-11-21T09:22:54.Z"'],
    ['"2026-11-21T09:22:54+0100"'],
    ['"Sat, 21 Nov 2026 09:22:54 GMT"'],
    // Days and hours that do not exist
    ['"2026-02-30T00:00:00Z"'],
    ['"2025-02-29T00:00:00Z"'],
    ['"2026-13-01T00:00:00Z"'],
    ['"2026-00-10T00:00:00Z"'],
    ['"2026-11-00T00:00:00Z"'],
    ['"2026-11-21T24:00:00Z"'],
    ['"2026-11-21T09:60:00Z"'],
    ['"2026-11-21T09:22:61Z"'],
    ['"2026-11-21T09:22:54+24:00"'],
    ['"2026-11-21T09:22:54+01:60"'],
    // Before 1970
    ['"1969-12-31T23:59:59Z"'],
    ['"0000-01-01T00:00:00Z"'],
  ])('%s', async (timestamp) => {
    for (const record of [
      `{"timestamp":${timestamp},"value":1}`,
      `{"value":1,"timestamp":${timestamp}}`,
    ]) {
      const answer = await postRecords(server.url, 'log', `{"records":[{"value":0},${record}]}`)
      await expectProblem(answer, 'invalid_request', {
        pointer: '/records/1/timestamp',
        written: 'no',
      })
    }
  })
})
