import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic, getTopic } from '../../src/client/index.ts'
import { ask, expectAnswer } from '../support/answers.ts'
import { highWatermarks, produce } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

describe('POST /v1/topics', () => {
  it('makes a topic of one partition with the defaults, and says where it is', async () => {
    const answer = await supertest(server.url).post('/v1/topics').send({ name: 'orders' })
    const topic = await expectAnswer(createTopic, answer)
    expect(topic).toEqual({
      name: 'orders',
      partitions: 1,
      config: { max_record_bytes: 1_048_576 },
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      offsets: [{ partition: 0, log_start_offset: 0, high_watermark: 0 }],
    })
    expect(answer.headers['location']).toBe('/v1/topics/orders')
    expect(await ask(server.url, getTopic, { params: { topic: 'orders' } })).toEqual(topic)
  })

  it('with partitions and settings', async () => {
    const body = { name: 'wide', partitions: 3, config: { max_record_bytes: 16_777_216 } }
    const topic = await ask(server.url, createTopic, { body })
    expect(topic).toMatchObject(body)
    expect(topic.offsets.map(({ partition }) => partition)).toEqual([0, 1, 2])
  })

  it('with as many partitions as there may be', async () => {
    const topic = await ask(server.url, createTopic, { body: { name: 'widest', partitions: 1000 } })
    expect(topic.offsets.map(({ partition }) => partition)).toEqual(
      Array.from({ length: 1000 }, (_, partition) => partition),
    )
    await produce(server.url, 'widest', [{ value: 1, partition: 999 }])
    expect((await highWatermarks(server.url, 'widest'))[999]).toBe(1)
  })

  it.each(['a', 'A.b_c-9', '...', '-', '_', '0', 'x'.repeat(249), 'records', '__proto__', 'null'])(
    'takes the name %s',
    async (name) => {
      await ask(server.url, createTopic, { body: { name } })
      await produce(server.url, name, [{ value: name }])
      const read = await supertest(server.url).get(`/t/${name}?until=latest`).expect(200)
      expect(read.text).toContain(`"value":"${name}"`)
    },
  )

  it('tells names apart by case', async () => {
    await ask(server.url, createTopic, { body: { name: 'Case' } })
    await ask(server.url, createTopic, { body: { name: 'case' } })
    await produce(server.url, 'Case', [{ value: 1 }])
    expect(await highWatermarks(server.url, 'case')).toEqual([0])
  })

  it('takes any JSON type', async () => {
    const answer = await supertest(server.url)
      .post('/v1/topics')
      .set('content-type', 'application/vnd.any+json; charset=utf-8')
      .send('{"name":"typed"}')
    await expectAnswer(createTopic, answer)
  })
})

describe('GET /v1/topics/{topic}', () => {
  it('has the offsets of each partition', async () => {
    await ask(server.url, createTopic, { body: { name: 'filled', partitions: 3 } })
    await produce(
      server.url,
      'filled',
      [0, 2, 2].map((partition) => ({ value: 1, partition })),
    )
    const { offsets } = await ask(server.url, getTopic, { params: { topic: 'filled' } })
    expect(offsets).toEqual([
      { partition: 0, log_start_offset: 0, high_watermark: 1 },
      { partition: 1, log_start_offset: 0, high_watermark: 0 },
      { partition: 2, log_start_offset: 0, high_watermark: 2 },
    ])
  })
})
