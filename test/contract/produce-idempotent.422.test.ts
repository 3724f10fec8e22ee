import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic } from '../../src/client/index.ts'
import { ask, expectProblem } from '../support/answers.ts'
import { highWatermarks, postRecords, topicNames } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await ask(server.url, createTopic, { body: { name: 'log', partitions: 3 } })
})
afterAll(() => server.stop())

const post = (body: string, key: string, type?: string) =>
  postRecords(server.url, 'log', body, type).set('idempotency-key', key)

describe('an Idempotency-Key that belongs to another request', () => {
  it.each([
    ['another value', '{"records":[{"value":2}]}', 'application/json'],
    ['more records', '{"records":[{"value":1},{"value":1}]}', 'application/json'],
    ['another spelling', '{"records":[{"value":1.0}]}', 'application/json'],
    ['another form', '{"value":1}', 'application/x-ndjson'],
  ])('%s is refused and not stored', async (name, body, type) => {
    await post('{"records":[{"value":1}]}', name).expect(200)
    const before = await highWatermarks(server.url, 'log')
    await expectProblem(await post(body, name, type), 'idempotency_key_reused', { written: 'no' })
    expect(await highWatermarks(server.url, 'log')).toEqual(before)
    // The first request's receipt is untouched.
    const retry = await post('{"records":[{"value":1}]}', name).expect(200)
    expect(retry.headers['idempotency-replayed']).toBe('true')
  })

  it('another ?key= is another request', async () => {
    const short = (key: string) =>
      supertest(server.url).post('/t/log').query({ key }).set('idempotency-key', 'q').send('v')
    await short('a').expect(200)
    await expectProblem(await short('b'), 'idempotency_key_reused', { written: 'no' })
  })

  it('a request that was refused leaves its key free', async () => {
    await expectProblem(await post('{"records":[{}]}', 'free'), 'invalid_request')
    await expectProblem(
      await post('{"records":[{"value":1,"partition":9}]}', 'free'),
      'unknown_topic_or_partition',
    )
    const stored = await post('{"records":[{"value":1}]}', 'free').expect(200)
    expect(stored.headers).not.toHaveProperty('idempotency-replayed')
  })
})

describe('a key that is none', () => {
  it.each([
    ['256 characters', 'x'.repeat(256)],
    ['no character', ''],
  ])('%s', async (_, key) => {
    for (const answer of [
      await postRecords(server.url, 'none', '{"records":[{"value":1}]}').set(
        'idempotency-key',
        key,
      ),
      await supertest(server.url).post('/t/none').set('idempotency-key', key).send('v'),
    ]) {
      await expectProblem(answer, 'invalid_request', {
        in: 'header',
        pointer: '/idempotency-key',
        written: 'no',
      })
    }
    expect(await topicNames(server.url)).toEqual(['log'])
  })
})
