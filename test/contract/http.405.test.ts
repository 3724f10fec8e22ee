import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectProblem } from '../support/answers.ts'
import { sendPath } from '../support/raw-socket.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

describe('a method that a path does not take', () => {
  it.each([
    ['PUT', '/v1/topics', ['GET', 'POST']],
    ['DELETE', '/v1/topics', ['GET', 'POST']],
    ['OPTIONS', '/v1/topics', ['GET', 'POST']],
    ['POST', '/v1/topics/orders', ['DELETE', 'GET', 'PATCH']],
    ['PUT', '/v1/topics/orders', ['DELETE', 'GET', 'PATCH']],
    ['GET', '/v1/topics/orders/records', ['POST']],
    ['PUT', '/t/orders', ['GET', 'POST']],
    ['DELETE', '/t/orders?key=k', ['GET', 'POST']],
    ['POST', '/v1/topics/orders/partitions/0/records/0', ['GET']],
    ['PUT', '/v1/topics/orders/partitions/0/offsets', ['GET']],
    ['POST', '/livez', ['GET']],
    ['POST', '/readyz/', ['GET']],
    // The pages for people, too.
    ['POST', '/', ['GET']],
    ['PUT', '/openapi.json', ['GET']],
    ['DELETE', '/problems/not_found', ['GET']],
    ['POST', '/docs', ['GET']],
  ])('%s %s', async (method, path, allowed) => {
    const answer = await sendPath(server.url, path, method, '{"a":1}')
    const problem = await expectProblem(answer, 'method_not_allowed')
    const allow = (answer.headers['allow'] ?? '').split(', ')
    expect(allow.filter((verb) => verb !== 'HEAD').sort()).toEqual(allowed)
    expect(problem.detail).toContain(method)
    expect(problem.hint).toContain('Allow')
    expect(problem.written).toBe(['GET', 'OPTIONS'].includes(method) ? undefined : 'no')
  })
})
