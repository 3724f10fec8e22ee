import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic, produceRecords, send } from '../../src/client/index.ts'
import { ask, expectProblem } from '../support/answers.ts'
import { sendPath } from '../support/raw-socket.ts'
import { highWatermarks, postRecords, topicNames } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await ask(server.url, createTopic, { body: { name: 'log' } })
})
// Nothing here may have stored a record or made a topic.
afterAll(async () => {
  const names = await topicNames(server.url)
  const marks = await highWatermarks(server.url, 'log')
  await server.stop()
  expect({ names, marks }).toEqual({ names: ['log'], marks: [0] })
})

const SAMPLE =
  '{"records":[{"key":"k","value":{"a":[1,-2.5e3,true,null,"x\\u00e9é"]},"headers":{"h":"v"},' +
  '"timestamp":1795252974170,"partition":0},{"value_base64":"aGk="}],' +
  '"expected_offsets":[{"partition":0,"offset":0}]}'

describe('an envelope cut off after any byte', () => {
  it('is refused, and says where it ends', async () => {
    const bytes = Buffer.from(SAMPLE)
    for (let length = 0; length < bytes.length; length++) {
      const response = await send(server.url, produceRecords, {
        params: { topic: length % 2 === 0 ? 'log' : 'missing' },
        body: bytes.subarray(0, length),
        headers: { 'content-type': 'application/json' },
      })
      const problem = await expectProblem(response, 'invalid_request', { written: 'no' })
      expect(problem.errors?.[0]?.pointer, SAMPLE.slice(0, length)).toMatch(/^$|^\/records/)
    }
  })
})

describe('an envelope that is none', () => {
  it.each([
    ['nothing', '', ''],
    ['space', ' \n', ''],
    ['an array', '[{"value":1}]', ''],
    ['a string', '"records"', ''],
    ['null', 'null', ''],
    ['no records', '{}', '/records'],
    ['an empty list', '{"records":[]}', '/records'],
    ['records that are an object', '{"records":{"value":1}}', '/records'],
    ['records that are null', '{"records":null}', '/records'],
    ['records twice', '{"records":[{"value":1}],"records":[{"value":2}]}', '/records'],
    ['a member nobody knows', '{"records":[{"value":1}],"colour":"red"}', '/colour'],
    ['such a member in front', '{"topic":"log","records":[{"value":1}]}', '/topic'],
    ['a member whose name needs escaping', '{"a/b~c":1,"records":[{"value":1}]}', '/a~1b~0c'],
    ['something behind it', '{"records":[{"value":1}]} x', ''],
    ['a second document', '{"records":[{"value":1}]}{"records":[{"value":2}]}', ''],
    ['a trailing comma', '{"records":[{"value":1}],}', ''],
    ['a trailing comma in the list', '{"records":[{"value":1},]}', '/records/1'],
    ['a byte order mark', '\ufeff{"records":[{"value":1}]}', ''],
    ['an element that is no object', '{"records":[{"value":1},7]}', '/records/1'],
    ['an element that is a list', '{"records":[[]]}', '/records/0'],
    [
      'a broken value in the third',
      '{"records":[{"value":1},{"value":2},{"value":tru}]}',
      '/records/2',
    ],
    ['a broken value behind them', '{"records":[{"value":1}],"expected_offsets":tru}', ''],
  ])('%s', async (_, body, pointer) => {
    const answer = await postRecords(server.url, 'log', body)
    await expectProblem(answer, 'invalid_request', { pointer, written: 'no' })
  })

  it('bytes that are not UTF-8', async () => {
    const response = await send(server.url, produceRecords, {
      params: { topic: 'log' },
      body: Buffer.from('{"records":[{"value":"\xff"}]}', 'latin1'),
      headers: { 'content-type': 'application/json' },
    })
    const expected = { pointer: '', written: 'no' } as const
    const problem = await expectProblem(response, 'invalid_request', expected)
    expect(problem.hint).toContain('value_base64')
  })
})

describe('a path or query that is none', () => {
  const BODY = '{"records":[{"value":1}]}'

  it.each(['%2e', '%2E%2e', 'a'.repeat(250), 'a%20b', 'a%2fb', '%C3%A9', '%00'])(
    '%s',
    async (name) => {
      const answer = await sendPath(server.url, `/v1/topics/${name}/records`, 'POST', BODY)
      await expectProblem(answer, 'invalid_request', {
        in: 'path',
        pointer: '/topic',
        written: 'no',
      })
    },
  )

  it('?partition= belongs to the short door', async () => {
    const answer = await sendPath(server.url, '/v1/topics/log/records?partition=0', 'POST', BODY)
    const expected = { in: 'query', pointer: '/partition', written: 'no' } as const
    await expectProblem(answer, 'invalid_request', expected)
  })
})
