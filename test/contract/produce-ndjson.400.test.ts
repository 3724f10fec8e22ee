import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic, produceRecords, send } from '../../src/client/index.ts'
import { ask, expectProblem } from '../support/answers.ts'
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

const NDJSON = { 'content-type': 'application/x-ndjson' }
// The first line is whole: the second must take it down with it.
const FIRST = '{"value":"whole"}\n'
const SECOND = '{"key":"k","value":{"a":[1.5,"\\u00e9é"]},"headers":{"h":"v"},"timestamp":7}'

describe('NDJSON cut off after any byte of its last line', () => {
  it('is refused whole', async () => {
    const bytes = Buffer.from(FIRST + SECOND)
    for (let length = FIRST.length + 1; length < bytes.length; length++) {
      const response = await send(server.url, produceRecords, {
        params: { topic: length % 2 === 0 ? 'log' : 'missing' },
        body: bytes.subarray(0, length),
        headers: NDJSON,
      })
      const problem = await expectProblem(response, 'invalid_request', { written: 'no' })
      expect(problem.errors?.[0]?.pointer, SECOND.slice(0, length)).toMatch(/^$|^\/1/)
    }
  })
})

describe('NDJSON that is none', () => {
  it.each([
    ['nothing', '', ''],
    ['blank lines', '\n \r\n', ''],
    ['a list', '[{"value":1}]\n', '/0'],
    ['an envelope', '{"records":[{"value":1}]}\n', '/0/records'],
    ['two records on a line', '{"value":1} {"value":2}\n', '/0'],
    ['a record over two lines', '{"value":1}\n{"value":\n2}\n', '/1'],
    ['a comma between lines', '{"value":1},\n{"value":2}\n', '/0'],
    ['the third line', '{"value":1}\n\n{"key":1,"value":2}\n', '/2/key'],
    ['a byte order mark', '\ufeff{"value":1}\n', '/0'],
  ])('%s', async (_, body, pointer) => {
    const answer = await postRecords(server.url, 'log', body, 'application/x-ndjson')
    await expectProblem(answer, 'invalid_request', { pointer, written: 'no' })
  })

  it('bytes that are not UTF-8', async () => {
    const response = await send(server.url, produceRecords, {
      params: { topic: 'log' },
      body: Buffer.from(`${FIRST}{"value":"\xff"}`, 'latin1'),
      headers: NDJSON,
    })
    await expectProblem(response, 'invalid_request', { pointer: '', written: 'no' })
  })
})
