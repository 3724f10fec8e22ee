import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic } from '../../src/client/index.ts'
import { ask, expectProblem } from '../support/answers.ts'
import { topicNames } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await ask(server.url, createTopic, { body: { name: 'log', partitions: 2 } })
})
afterAll(() => server.stop())

describe('a topic that is not there', () => {
  it.each([
    '/t/missing',
    '/v1/topics/missing/partitions/0/records',
    '/v1/topics/missing/partitions/0/records?offset=5&max_wait_ms=60000',
    '/v1/topics/missing/partitions/0/records/0',
    '/v1/topics/missing/partitions/0/offsets?timestamp=0',
  ])('%s', async (path) => {
    const problem = await expectProblem(
      await supertest(server.url).get(path),
      'unknown_topic_or_partition',
    )
    expect(problem.detail).toContain('missing')
    expect(problem.hint).toContain('missing')
    expect(problem).not.toHaveProperty('written')
    // Reading makes no topic.
    expect(await topicNames(server.url)).toEqual(['log'])
  })
})

describe('a partition that is not there', () => {
  it.each([
    '/v1/topics/log/partitions/2/records',
    '/v1/topics/log/partitions/999/records?max_wait_ms=60000',
    '/v1/topics/log/partitions/2/records/0',
    '/v1/topics/log/partitions/2/offsets?timestamp=0',
  ])('%s', async (path) => {
    const answer = await supertest(server.url).get(path)
    const problem = await expectProblem(answer, 'unknown_topic_or_partition')
    expect(problem.hint).toContain('0 to 1')
  })
})
