import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectProblem } from '../support/answers.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

describe('a path that leads nowhere', () => {
  it.each([
    ['GET', '/nothing'],
    ['GET', '/v1'],
    ['GET', '/v2/topics'],
    ['GET', '/t'],
    ['GET', '/t/a/b'],
    ['GET', '/v1/topics/a/partitions/0'],
    ['GET', '/problems/no_such_code'],
    ['GET', '/problems/constructor'],
    ['GET', '/docs/nothing'],
    ['GET', '/V1/topics'],
    ['POST', '/v1/topics/a/record'],
    ['DELETE', '/v1/topics/a/records/b'],
    ['PUT', '/nothing'],
  ])('%s %s', async (method, path) => {
    const verb = method.toLowerCase() as 'get' | 'post' | 'delete' | 'put'
    const writes = method === 'GET' ? {} : ({ written: 'no' } as const)
    const answer = await supertest(server.url)[verb](path)
    const problem = await expectProblem(answer, 'not_found', writes)
    if (method === 'GET') expect(problem).not.toHaveProperty('written')
    expect(problem.hint).toContain('/docs')
  })

  it('takes a body and answers all the same', async () => {
    const answer = await supertest(server.url).post('/nothing').type('text/plain').send('a body')
    await expectProblem(answer, 'not_found', { written: 'no' })
  })
})
