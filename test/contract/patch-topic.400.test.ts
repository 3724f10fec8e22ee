import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic, getTopic } from '../../src/client/index.ts'
import { ask, expectProblem } from '../support/answers.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await ask(server.url, createTopic, { body: { name: 'log', partitions: 3 } })
})
afterAll(() => server.stop())

const patch = (topic: string, body: string) =>
  supertest(server.url)
    .patch(`/v1/topics/${topic}`)
    .set('content-type', 'application/json')
    .send(body)

describe('a change that cannot be', () => {
  it.each([
    ['{"partitions":2}', '/partitions'],
    ['{"partitions":1}', '/partitions'],
    ['{"partitions":0}', '/partitions'],
    ['{"partitions":1001}', '/partitions'],
    ['{"partitions":"4"}', '/partitions'],
    ['{"partitions":null}', '/partitions'],
    ['{"partitions":1,"config":{"max_record_bytes":5}}', '/partitions'],
    ['{"config":null}', '/config'],
    ['{"config":{"max_record_bytes":0}}', '/config/max_record_bytes'],
    ['{"config":{"max_record_bytes":"5"}}', '/config/max_record_bytes'],
    ['{"config":{"colour":1}}', '/config/colour'],
    ['{"config":{"max_record_bytes":5,"colour":null}}', '/config/colour'],
    ['{"name":"other"}', '/name'],
    ['[]', ''],
    ['', ''],
    ['{', ''],
  ])('%s', async (body, pointer) => {
    const params = { topic: 'log' }
    const before = await ask(server.url, getTopic, { params })
    const answer = await patch('log', body)
    await expectProblem(answer, 'invalid_request', { pointer, written: 'no' })
    expect(await ask(server.url, getTopic, { params })).toEqual(before)
  })

  it('says how many partitions there are to whoever asks for fewer', async () => {
    const problem = await expectProblem(await patch('log', '{"partitions":1}'), 'invalid_request')
    expect(problem.detail).toContain('3')
  })
})

describe('a topic that is not there', () => {
  it('is not changed, read or deleted', async () => {
    const url = supertest(server.url)
    const unknown = 'unknown_topic_or_partition'
    await expectProblem(await patch('missing', '{"partitions":2}'), unknown, { written: 'no' })
    await expectProblem(await url.delete('/v1/topics/missing'), unknown, { written: 'no' })
    const read = await expectProblem(await url.get('/v1/topics/missing'), unknown)
    expect(read).not.toHaveProperty('written')
  })

  it.each(['%2e%2e', 'a%20b', 'x'.repeat(250)])('nor is %s one', async (name) => {
    for (const answer of [
      await patch(name, '{"partitions":2}'),
      await supertest(server.url).delete(`/v1/topics/${name}`),
      await supertest(server.url).get(`/v1/topics/${name}`),
    ]) {
      await expectProblem(answer, 'invalid_request', { in: 'path', pointer: '/topic' })
    }
  })
})
