import { afterAll, beforeAll, describe, it } from 'vitest'
import { createTopic } from '../../src/client/index.ts'
import { ask, expectProblem } from '../support/answers.ts'
import { sendPath } from '../support/raw-socket.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await ask(server.url, createTopic, { body: { name: 'log' } })
})
afterAll(() => server.stop())

describe('a time that is none', () => {
  it.each([
    ['', '/timestamp'],
    ['timestamp=', '/timestamp'],
    ['timestamp=now', '/timestamp'],
    ['timestamp=earliest', '/timestamp'],
    ['timestamp=-1', '/timestamp'],
    ['timestamp=1.5', '/timestamp'],
    ['timestamp=2026-11-21', '/timestamp'],
    ['timestamp=2026-02-30T00:00:00Z', '/timestamp'],
    ['timestamp=8640000000000001', '/timestamp'],
    ['timestamp=0&timestamp=1', '/timestamp'],
    ['time=0', '/timestamp'],
    ['timestamp=0&offset=1', '/offset'],
  ])('?%s', async (query, pointer) => {
    const path = `/v1/topics/log/partitions/0/offsets?${query}`
    const answer = await sendPath(server.url, path)
    await expectProblem(answer, 'invalid_request', { in: 'query', pointer })
  })
})
