import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectProblem } from '../support/answers.ts'
import { postRecords, topicNames } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
// Nothing here may have made a topic.
afterAll(async () => {
  const names = await topicNames(server.url)
  await server.stop()
  expect(names).toEqual([])
})

/** `count` headers as JSON. */
function headers(count: number, value: string): string {
  const names = Array.from({ length: count }, (_, index) => `"h${String(index)}":"${value}"`)
  return `{${names.join(',')}}`
}

describe('headers that are none', () => {
  it.each([
    ['a list', '"headers":[]'],
    ['null', '"headers":null'],
    ['text', '"headers":"a=b"'],
    ['a number as value', '"headers":{"a":1}'],
    ['null as value', '"headers":{"a":"1","b/c":null}'],
    ['an object as value', '"headers":{"a":{}}'],
    ['a list of bytes', '"headers_base64":[]'],
    ['bytes that are not base64', '"headers_base64":{"a":"?"}'],
    ['bytes that are a number', '"headers_base64":{"a":1}'],
    ['33 of them', `"headers":${headers(33, 'v')}`],
    ['33 of bytes', `"headers_base64":${headers(33, 'aGk=')}`],
    ['32 and one of bytes', `"headers":${headers(32, 'v')},"headers_base64":{"b":"aGk="}`],
    ['one and 32 of bytes', `"headers":{"b":"v"},"headers_base64":${headers(32, 'aGk=')}`],
    ['the same name 33 times', `"headers":{${'"a":"v",'.repeat(32)}"a":"v"}`],
  ])('%s', async (_, member) => {
    const body = `{"records":[{"value":0},{"value":1,${member}}]}`
    const answer = await postRecords(server.url, 'log', body)
    await expectProblem(answer, 'invalid_request', {
      pointer: /^\/records\/1\/headers/,
      written: 'no',
    })
  })
})
