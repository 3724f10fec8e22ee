import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { produceBody, send } from '../../src/client/index.ts'
import { expectProblem } from '../support/answers.ts'
import { sendPath } from '../support/raw-socket.ts'
import { topicNames } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
// Whatever was refused here went to topics that did not exist, and none of it may have made one.
afterAll(async () => {
  const names = await topicNames(server.url)
  await server.stop()
  expect(names).toEqual([])
})

const SAMPLE = '{"a":[1,-2.5e3,true,null,"x\\u00e9é"],"b":{"":{}}}'

describe('a body that is not what its type says', () => {
  it('JSON cut off after any byte', async () => {
    const bytes = Buffer.from(SAMPLE)
    for (let length = 0; length < bytes.length; length++) {
      const response = await send(server.url, produceBody, {
        params: { topic: 'cut' },
        body: bytes.subarray(0, length),
        headers: { 'content-type': 'application/json' },
      })
      await expectProblem(response, 'invalid_request', { pointer: '', written: 'no' })
    }
  })

  it.each([
    ['a word', 'hello'],
    ['two documents', '{} {}'],
    ['a trailing comma', '[1,]'],
    ['a number JSON does not know', '[01]'],
    ['a byte order mark', '\ufeff{}'],
    ['a raw control character', '"a\u0001"'],
    ['a raw newline in a string', '"a\nb"'],
    ['single quotes', "{'a':1}"],
    ['a comment', '{"a":1} // one'],
    ['NaN', 'NaN'],
    ['an escape JSON does not know', '"\\x41"'],
    ['no-break space around it', '\u00a0{}'],
  ])('JSON: %s', async (_, body) => {
    const response = await supertest(server.url).post('/t/bad').type('application/json').send(body)
    await expectProblem(response, 'invalid_request', { pointer: '', written: 'no' })
  })

  it('JSON that is not UTF-8', async () => {
    const response = await send(server.url, produceBody, {
      params: { topic: 'bad' },
      body: Buffer.from([0x22, 0xff, 0x22]),
      headers: { 'content-type': 'application/json' },
    })
    await expectProblem(response, 'invalid_request', { pointer: '', written: 'no' })
  })

  it.each([
    ['the second line', '1\n{"a":\n', '/1'],
    ['two values on a line', '1 2\n', '/0'],
    ['a value over two lines', '[1,\n2]\n', '/0'],
    ['counting blank lines', '\n\nx\n', '/2'],
    ['no value at all', '\n \n', ''],
    ['nothing', '', ''],
  ])('NDJSON: %s', async (_, body, pointer) => {
    const response = await supertest(server.url)
      .post('/t/bad')
      .type('application/x-ndjson')
      .send(body)
    await expectProblem(response, 'invalid_request', { pointer, written: 'no' })
  })
})

describe('a query that is not known', () => {
  it.each([
    ['colour=red', '/colour'],
    ['Key=k', '/Key'],
    ['__proto__=1', '/__proto__'],
    ['split=words', '/split'],
    ['split=', '/split'],
    ['partition=', '/partition'],
    ['partition=x', '/partition'],
    ['partition=-1', '/partition'],
    ['partition=1.5', '/partition'],
    ['partition=1e1', '/partition'],
    ['partition=1000', '/partition'],
    ['partition=99999999999999999999', '/partition'],
    ['partition=0&partition=1', '/partition'],
    ['key=a&key=b', '/key'],
    ['key=%ff', '/key'],
  ])('?%s', async (query, pointer) => {
    const answer = await sendPath(server.url, `/t/bad?${query}`, 'POST', '1')
    await expectProblem(answer, 'invalid_request', { in: 'query', pointer, written: 'no' })
  })
})

describe('a name that is none', () => {
  it.each(['%2e', '%2e%2e', 'a'.repeat(250), 'a%20b', 'a%2Fb', '%C3%A9', 'a%00', 'a:b', '%0a'])(
    '/t/%s',
    async (name) => {
      const answer = await sendPath(server.url, `/t/${name}`, 'POST', '1')
      await expectProblem(answer, 'invalid_request', {
        in: 'path',
        pointer: '/topic',
        written: 'no',
      })
    },
  )
})
