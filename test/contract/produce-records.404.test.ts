import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic, deleteTopic } from '../../src/client/index.ts'
import { ask, expectProblem } from '../support/answers.ts'
import { highWatermarks, postRecords, topicNames } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  for (const [name, partitions] of [
    ['one', 1],
    ['three', 3],
  ] as const) {
    await ask(server.url, createTopic, { body: { name, partitions } })
  }
})
afterAll(() => server.stop())

describe('a record for a partition that is not there', () => {
  it.each([
    ['one', 1],
    ['three', 3],
    ['three', 999],
  ])('takes the whole request with it: %s/%i', async (topic, partition) => {
    const records = [
      { value: 1, partition: 0 },
      { value: 2, key: 'k' },
      { value: 3, partition },
    ]
    for (const [type, body] of [
      ['application/json', JSON.stringify({ records })],
      ['application/x-ndjson', records.map((record) => JSON.stringify(record)).join('\n')],
    ]) {
      const answer = await postRecords(server.url, topic, body!, type)
      const problem = await expectProblem(answer, 'unknown_topic_or_partition', { written: 'no' })
      expect(problem.detail).toContain(String(partition))
    }
    for (const end of await highWatermarks(server.url, topic)) expect(end).toBe(0)
  })

  it('makes no topic', async () => {
    const body = '{"records":[{"value":1},{"value":2,"partition":1}]}'
    const answer = await postRecords(server.url, 'missing', body)
    await expectProblem(answer, 'unknown_topic_or_partition', { written: 'no' })
    expect(await topicNames(server.url)).not.toContain('missing')
  })
})

describe('a topic that was deleted a moment ago', () => {
  it('is made anew by the next produce, from offset 0', async () => {
    const body = '{"records":[{"value":1},{"value":2}]}'
    await postRecords(server.url, 'again', body).expect(200)
    await ask(server.url, deleteTopic, { params: { topic: 'again' } })
    const answer = await postRecords(server.url, 'again', body).expect(200)
    expect(answer.headers['tailrace-topic-created']).toBe('true')
    expect(await highWatermarks(server.url, 'again')).toEqual([2])
  })
})
