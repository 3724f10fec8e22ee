import { afterAll, beforeAll, describe, it } from 'vitest'
import { expectProblem } from '../support/answers.ts'
import { sendPath } from '../support/raw-socket.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

describe('a query that lists nothing', () => {
  it.each([
    ['limit=0', '/limit'],
    ['limit=-1', '/limit'],
    ['limit=1001', '/limit'],
    ['limit=1.5', '/limit'],
    ['limit=all', '/limit'],
    ['limit=', '/limit'],
    ['limit=1&limit=2', '/limit'],
    [`after=${'x'.repeat(250)}`, '/after'],
    ['after=a&after=b', '/after'],
    ['after=%00', '/after'],
    ['after=%ff', '/after'],
    [`prefix=${'x'.repeat(250)}`, '/prefix'],
    ['prefix=a%00', '/prefix'],
    ['page=2', '/page'],
  ])('?%s', async (query, pointer) => {
    const answer = await sendPath(server.url, `/v1/topics?${query}`)
    await expectProblem(answer, 'invalid_request', { in: 'query', pointer })
  })
})
