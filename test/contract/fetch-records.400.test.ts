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

const LOG = '/v1/topics/log/partitions/0'

describe('a query that is not known', () => {
  it.each([
    ['offset=', '/offset'],
    ['offset=x', '/offset'],
    ['offset=-1', '/offset'],
    ['offset=1.0', '/offset'],
    ['offset=1e3', '/offset'],
    ['offset=01x', '/offset'],
    ['offset=0x10', '/offset'],
    ['offset=%201', '/offset'],
    ['offset=1,2', '/offset'],
    ['offset=0&offset=1', '/offset'],
    ['offset=9007199254740992', '/offset'],
    ['offset=99999999999999999999', '/offset'],
    ['from=', '/from'],
    ['from=garbage', '/from'],
    ['from=EARLIEST', '/from'],
    ['from=-', '/from'],
    ['from=-1.5', '/from'],
    ['from=1.5', '/from'],
    ['from=2026-11-21', '/from'],
    ['from=2026-02-30T00:00:00Z', '/from'],
    ['from=2026-11-21T09:22:54', '/from'],
    ['from=8640000000000001', '/from'],
    ['from=99999999999999999999999999999999999999999', '/from'],
    ['from=earliest&from=latest', '/from'],
    ['offset=0&from=earliest', '/from'],
    ['max_records=0', '/max_records'],
    ['max_records=10001', '/max_records'],
    ['max_records=x', '/max_records'],
    ['max_records=', '/max_records'],
    ['max_bytes=0', '/max_bytes'],
    ['max_bytes=16777217', '/max_bytes'],
    ['max_bytes=1e3', '/max_bytes'],
    ['min_bytes=0', '/min_bytes'],
    ['min_bytes=16777217', '/min_bytes'],
    ['max_wait_ms=-1', '/max_wait_ms'],
    ['max_wait_ms=60001', '/max_wait_ms'],
    ['max_wait_ms=1s', '/max_wait_ms'],
    ['limit=1', '/limit'],
    ['Offset=0', '/Offset'],
    ['__proto__=1', '/__proto__'],
  ])('?%s', async (query, pointer) => {
    const answer = await sendPath(server.url, `${LOG}/records?${query}`)
    await expectProblem(answer, 'invalid_request', { in: 'query', pointer })
  })
})

describe('a path that names no place', () => {
  it.each([
    ['/v1/topics/%2e/partitions/0/records', '/topic'],
    ['/v1/topics/a%20b/partitions/0/records', '/topic'],
    [`/v1/topics/${'a'.repeat(250)}/partitions/0/records`, '/topic'],
    ['/v1/topics/log/partitions/x/records', '/partition'],
    ['/v1/topics/log/partitions/-1/records', '/partition'],
    ['/v1/topics/log/partitions/1.5/records', '/partition'],
    ['/v1/topics/log/partitions/1e1/records', '/partition'],
    ['/v1/topics/log/partitions/0x0/records', '/partition'],
    ['/v1/topics/log/partitions/1000000/records', '/partition'],
    ['/v1/topics/log/partitions/%30%20/records', '/partition'],
    [`${LOG}/records/x`, '/offset'],
    [`${LOG}/records/-1`, '/offset'],
    [`${LOG}/records/1e3`, '/offset'],
    [`${LOG}/records/1.0`, '/offset'],
    [`${LOG}/records/9007199254740992`, '/offset'],
    [`${LOG}/records/latest`, '/offset'],
  ])('%s', async (path, pointer) => {
    const answer = await sendPath(server.url, path)
    await expectProblem(answer, 'invalid_request', { in: 'path', pointer })
  })

  it('one record takes no query', async () => {
    const answer = await sendPath(server.url, `${LOG}/records/0?max_records=1`)
    await expectProblem(answer, 'invalid_request', { in: 'query', pointer: '/max_records' })
  })
})
