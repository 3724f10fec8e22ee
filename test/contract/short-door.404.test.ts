import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectProblem } from '../support/answers.ts'
import { highWatermarks, postRecords, topicNames } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let creating: TestServer
let strict: TestServer
beforeAll(async () => {
  creating = await startTestServer()
  strict = await startTestServer({ TAILRACE_AUTO_CREATE_TOPICS: 'false' })
})
afterAll(() => Promise.all([creating.stop(), strict.stop()]))

const postText = (server: TestServer, path: string) =>
  supertest(server.url).post(path).type('text/plain').send('v')

describe('with TAILRACE_AUTO_CREATE_TOPICS off', () => {
  it('a topic that is not there is a 404 with a hint, and stays away', async () => {
    const answers = [
      await postText(strict, '/t/missing'),
      await postRecords(strict.url, 'missing', '{"records":[{"value":1}]}'),
      await postRecords(strict.url, 'missing', '{"value":1}', 'application/x-ndjson'),
    ]
    for (const answer of answers) {
      const problem = await expectProblem(answer, 'unknown_topic_or_partition', { written: 'no' })
      expect(problem.detail).toContain('missing')
      expect(problem.hint).toContain('/v1/topics')
    }
    expect(await topicNames(strict.url)).toEqual([])
  })

  it('a topic that is there takes records', async () => {
    await supertest(strict.url).post('/v1/topics').send({ name: 'there' }).expect(201)
    await postText(strict, '/t/there').expect(200)
    expect(await highWatermarks(strict.url, 'there')).toEqual([1])
  })
})

describe('a partition that is not there', () => {
  it('is a 404 that names those there are, and stores nothing', async () => {
    await supertest(creating.url).post('/v1/topics').send({ name: 'two', partitions: 2 })
    const problem = await expectProblem(
      await postText(creating, '/t/two?partition=2'),
      'unknown_topic_or_partition',
      { written: 'no' },
    )
    expect(problem.hint).toContain('0 to 1')
    expect(await highWatermarks(creating.url, 'two')).toEqual([0, 0])
  })

  it('makes no topic: one made by producing has partition 0 alone', async () => {
    const answer = await postText(creating, '/t/none?partition=1')
    await expectProblem(answer, 'unknown_topic_or_partition', { written: 'no' })
    expect(await topicNames(creating.url)).not.toContain('none')
    await postText(creating, '/t/one?partition=0').expect(200)
    expect(await topicNames(creating.url)).toContain('one')
  })
})
