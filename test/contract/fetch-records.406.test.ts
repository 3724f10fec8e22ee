import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectProblem } from '../support/answers.ts'
import { produce } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await produce(server.url, 'log', [{ value: 1 }])
})
afterAll(() => server.stop())

const PAGE = '/v1/topics/log/partitions/0/records'

describe('an Accept that no answer satisfies', () => {
  it.each([
    [PAGE, 'text/html', 'application/x-ndjson'],
    [PAGE, 'application/octet-stream', 'application/json'],
    [PAGE, 'application/json;q=0', 'application/json'],
    [PAGE, '*/*;q=0', 'application/json'],
    [PAGE, 'nonsense', 'application/json'],
    [`${PAGE}/0`, 'text/plain', 'application/octet-stream'],
    [`${PAGE}/0`, 'application/x-ndjson', 'application/json'],
    ['/t/log', 'image/png', 'application/x-ndjson'],
    ['/t/log', 'application/json', 'application/x-ndjson'],
  ])('%s as %s', async (path, accept, offered) => {
    const answer = await supertest(server.url).get(path).set('accept', accept)
    const problem = await expectProblem(answer, 'not_acceptable')
    expect(problem.detail).toContain(offered)
    expect(problem.detail).toContain(accept)
  })
})
