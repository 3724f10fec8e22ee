import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { getLiveness, getReadiness, send } from '../../src/client/index.ts'
import { Readiness } from '../../src/contract/health.ts'
import { ask } from '../support/answers.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

const NEWER = "insert into tailrace.migrations (version, name, checksum) values (9999, 'newer', '')"
const BACK = 'delete from tailrace.migrations where version = 9999'

describe('GET /readyz while the schema is not the one of this program', () => {
  it('is 503 and says what is wrong; the process is alive all the same', async () => {
    await server.database.query(NEWER)
    const response = await send(server.url, getReadiness)
    expect(response.status).toBe(503)
    expect(response.headers.get('content-type')).toMatch(/^application\/json/)
    expect(Readiness.parse(await response.json())).toEqual({
      status: 'not_ready',
      checks: { database: 'ok', schema: 'failed', draining: 'ok' },
    })
    await ask(server.url, getLiveness)
    await server.database.query(BACK)
    expect((await ask(server.url, getReadiness)).status).toBe('ready')
  })
})
