import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic, patchTopic, send } from '../../src/client/index.ts'
import { ask, expectProblem } from '../support/answers.ts'
import { topicNames } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await ask(server.url, createTopic, { body: { name: 'there' } })
})
// Nothing here may have made a topic.
afterAll(async () => {
  const names = await topicNames(server.url)
  await server.stop()
  expect(names).toEqual(['there'])
})

const post = (body: string, type = 'application/json') =>
  supertest(server.url).post('/v1/topics').set('content-type', type).send(body)

describe('a topic that cannot be', () => {
  it.each([
    ['{}', '/name'],
    ['[]', ''],
    ['"orders"', ''],
    ['null', ''],
    ['{"name":""}', '/name'],
    ['{"name":7}', '/name'],
    ['{"name":null}', '/name'],
    ['{"name":"."}', '/name'],
    ['{"name":".."}', '/name'],
    ['{"name":"a b"}', '/name'],
    ['{"name":"a/b"}', '/name'],
    ['{"name":"é"}', '/name'],
    ['{"name":"a\\u0000"}', '/name'],
    ['{"name":"a\\n"}', '/name'],
    [`{"name":"${'x'.repeat(250)}"}`, '/name'],
    ['{"name":"a","partitions":0}', '/partitions'],
    ['{"name":"a","partitions":-1}', '/partitions'],
    ['{"name":"a","partitions":1.5}', '/partitions'],
    ['{"name":"a","partitions":"3"}', '/partitions'],
    ['{"name":"a","partitions":null}', '/partitions'],
    ['{"name":"a","partitions":1001}', '/partitions'],
    ['{"name":"a","partitions":1e400}', '/partitions'],
    ['{"name":"a","config":null}', '/config'],
    ['{"name":"a","config":[]}', '/config'],
    ['{"name":"a","config":{"max_record_bytes":0}}', '/config/max_record_bytes'],
    ['{"name":"a","config":{"max_record_bytes":16777217}}', '/config/max_record_bytes'],
    ['{"name":"a","config":{"max_record_bytes":"1"}}', '/config/max_record_bytes'],
    ['{"name":"a","config":{"max_record_bytes":null}}', '/config/max_record_bytes'],
    ['{"name":"a","config":{"colour":1}}', '/config/colour'],
    ['{"name":"a","config":{"a/b~c":1}}', '/config/a~1b~0c'],
    ['{"name":"a","colour":"red"}', '/colour'],
    ['{"name":"a","__proto__":{}}', '/__proto__'],
  ])('%s', async (body, pointer) => {
    await expectProblem(await post(body), 'invalid_request', { pointer, written: 'no' })
  })

  it('names every field at fault', async () => {
    const answer = await post('{"name":7,"partitions":0}')
    const { errors } = await expectProblem(answer, 'invalid_request')
    expect(errors?.map(({ pointer }) => pointer).sort()).toEqual(['/name', '/partitions'])
  })

  it.each(['/v1/topics?name=a', '/v1/topics/there?force=true'])(
    '%s: no such query',
    async (path) => {
      const call = path.includes('there')
        ? supertest(server.url).patch(path)
        : supertest(server.url).post(path)
      const answer = await call.send({ name: 'a' })
      await expectProblem(answer, 'invalid_request', { in: 'query', written: 'no' })
    },
  )
})

describe('a body that is not JSON', () => {
  const SAMPLE = '{"name":"cut","partitions":2,"config":{"max_record_bytes":100}}'

  it('cut off after any byte', async () => {
    for (let length = 0; length < SAMPLE.length; length++) {
      const answer = await post(SAMPLE.slice(0, length))
      await expectProblem(answer, 'invalid_request', { pointer: '', written: 'no' })
    }
  })

  it.each(['{"name":"a"} x', '{"name":"a"}{}', '\ufeff{"name":"a"}', '{name:"a"}', "{'name':'a'}"])(
    '%s',
    async (body) => {
      await expectProblem(await post(body), 'invalid_request', { pointer: '', written: 'no' })
    },
  )

  it('bytes that are not UTF-8', async () => {
    const response = await send(server.url, createTopic, {
      body: Buffer.from('{"name":"\xff"}', 'latin1'),
      headers: { 'content-type': 'application/json' },
    })
    await expectProblem(response, 'invalid_request', { pointer: '', written: 'no' })
  })

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/x-ndjson'])(
    'as %s is 415',
    async (type) => {
      const created = await post('{"name":"a"}', type)
      await expectProblem(created, 'unsupported_media_type', { written: 'no' })
      const patched = await send(server.url, patchTopic, {
        params: { topic: 'there' },
        body: '{"partitions":2}',
        headers: { 'content-type': type },
      })
      await expectProblem(patched, 'unsupported_media_type', { written: 'no' })
    },
  )
})
