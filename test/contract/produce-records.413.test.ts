import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic, getTopic, patchTopic, produceRecords, send } from '../../src/client/index.ts'
import { LIMITS } from '../../src/contract/limits.ts'
import { ask, expectAnswer, expectProblem } from '../support/answers.ts'
import { highWatermarks, postRecords, topicNames } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await ask(server.url, createTopic, { body: { name: 'log', partitions: 2 } })
  const config = { max_record_bytes: 100 }
  await ask(server.url, createTopic, { body: { name: 'small', partitions: 2, config } })
})
afterAll(() => server.stop())

/** A record whose stored line has this many bytes. */
const recordOf = (bytes: number) => `{"value":"${'x'.repeat(bytes - '{"value":""}'.length)}"}`

describe('a record larger than its topic allows', () => {
  it('is refused by either form, with all that came beside it', async () => {
    const good = [0, 1].map((partition) => `{"value":1,"partition":${String(partition)}}`)
    for (const [type, body] of [
      ['application/json', `{"records":[${[...good, recordOf(101)].join(',')}]}`],
      ['application/x-ndjson', [...good, recordOf(101)].join('\n')],
    ]) {
      const answer = await postRecords(server.url, 'small', body!, type)
      const problem = await expectProblem(answer, 'message_too_large', { written: 'no' })
      expect(problem).toMatchObject({ record: 2, max_record_bytes: 100 })
    }
    expect(await highWatermarks(server.url, 'small')).toEqual([0, 0])
  })

  it('is measured as its stored line: the bound itself is allowed', async () => {
    await postRecords(server.url, 'small', `{"records":[${recordOf(100)}]}`).expect(200)
    await postRecords(server.url, 'small', recordOf(100), 'application/x-ndjson').expect(200)
  })

  it('is refused by the short door', async () => {
    const post = (query: string, body: string) =>
      supertest(server.url).post(`/t/small?partition=1${query}`).type('text/plain').send(body)
    const before = await highWatermarks(server.url, 'small')
    for (const [query, body] of [
      ['', 'x'.repeat(101)],
      ['&split=lines', `ok\n${'x'.repeat(101)}\nok`],
    ]) {
      await expectProblem(await post(query!, body!), 'message_too_large', { written: 'no' })
    }
    expect(await highWatermarks(server.url, 'small')).toEqual(before)
  })

  it('is 1 MiB where nothing else was said, and no topic is made for it', async () => {
    const body = `{"records":[${recordOf(LIMITS.record_bytes + 1)}]}`
    for (const topic of ['log', 'missing']) {
      const answer = await postRecords(server.url, topic, body)
      await expectProblem(answer, 'message_too_large', { written: 'no' })
    }
    await postRecords(server.url, 'log', `{"records":[${recordOf(LIMITS.record_bytes)}]}`).expect(
      200,
    )
    expect(await topicNames(server.url)).not.toContain('missing')
  })

  it('may be allowed by the topic from the next request on', async () => {
    const params = { topic: 'raised' }
    await ask(server.url, createTopic, {
      body: { name: 'raised', config: { max_record_bytes: 20 } },
    })
    const body = { records: [{ value: 'twenty-one characters' }] }
    await expectProblem(
      await send(server.url, produceRecords, { params, body }),
      'message_too_large',
    )
    await ask(server.url, patchTopic, { params, body: { config: { max_record_bytes: 1000 } } })
    await expectAnswer(produceRecords, await send(server.url, produceRecords, { params, body }))
    expect((await ask(server.url, getTopic, { params })).offsets[0]!.high_watermark).toBe(1)
  })
})

describe('more records than one request may hold', () => {
  it.each([
    [
      'JSON',
      '/v1/topics/none/records',
      'application/json',
      `{"records":[${'{"value":1},'.repeat(10_000)}{"value":1}]}`,
    ],
    ['NDJSON', '/v1/topics/none/records', 'application/x-ndjson', '{"value":1}\n'.repeat(10_001)],
    ['values', '/t/none', 'application/x-ndjson', '1\n'.repeat(10_001)],
    ['lines', '/t/none?split=lines', 'text/plain', 'x\n'.repeat(10_001)],
    ['lines with a key', '/t/none?split=lines&key=k', 'text/plain', 'x\n'.repeat(10_001)],
  ])('10,001 by %s', async (_, path, type, body) => {
    const answer = await supertest(server.url).post(path).set('content-type', type).send(body)
    await expectProblem(answer, 'request_too_large', { written: 'no' })
    expect(await topicNames(server.url)).not.toContain('none')
  })
})
