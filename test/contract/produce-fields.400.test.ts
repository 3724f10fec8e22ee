import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic } from '../../src/client/index.ts'
import { ask, expectProblem } from '../support/answers.ts'
import { highWatermarks, postRecords } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await ask(server.url, createTopic, { body: { name: 'log', partitions: 2 } })
})
afterAll(() => server.stop())

/** Sends the record between two good ones, in both forms; `member` is at fault, or the record itself. */
async function expectRefused(record: string, member: string): Promise<void> {
  const good = '{"value":1,"partition":0}'
  const before = await highWatermarks(server.url, 'log')
  const envelope = await postRecords(server.url, 'log', `{"records":[${good},${record},${good}]}`)
  const pointer = `/records/1${member}`
  await expectProblem(envelope, 'invalid_request', { pointer, written: 'no' })
  const body = [good, record, good].join('\n')
  const lines = await postRecords(server.url, 'log', body, 'application/x-ndjson')
  await expectProblem(lines, 'invalid_request', { pointer: `/1${member}`, written: 'no' })
  expect(await highWatermarks(server.url, 'log')).toEqual(before)
}

describe('which members a record has', () => {
  it.each([
    ['{}', ''],
    ['{"key":"k"}', ''],
    ['{"value":1,"value_base64":"aGk="}', ''],
    ['{"key":"k","key_base64":"aGk=","value":1}', ''],
    ['{"value":1,"value":2}', '/value'],
    ['{"key":"a","value":1,"key":"b"}', '/key'],
  ])('%s', expectRefused)
})

describe('a member that no record has is named itself', () => {
  it.each([
    ['{"value":1,"colour":"red"}', '/colour'],
    ['{"value":1,"Key":"k"}', '/Key'],
    ['{"value":1,"__proto__":{}}', '/__proto__'],
    ['{"value":1,"":1}', '/'],
    ['{"value":1,"a/b~c":1}', '/a~1b~0c'],
    ['{"value":1,"offset":3}', '/offset'],
    // Spelled with escapes, even those that there are.
    ['{"v\\u0061lue":1}', '/value'],
    ['{"value":1,"\\u006bey":"k"}', '/key'],
  ])('%s', expectRefused)
})

describe('key', () => {
  it.each(['7', 'true', '{}', '["k"]', '1e400'])('%s', (text) =>
    expectRefused(`{"key":${text},"value":1}`, '/key'),
  )
})

const NOT_BASE64 = ['7', 'null', '{}', '"?"', '"a"', '"aGk"', '"aGk=="', '"a==="', '"===="'].concat(
  ['"aGk=aGk="', '"aG k="', '"_-8="', '"aGk=\\n"', '"\\u0061Gk="', '"aGké"'],
)
describe.each(['key_base64', 'value_base64'])('%s', (member) => {
  const value = member === 'key_base64' ? ',"value":1' : ''
  it.each(NOT_BASE64)('%s', (text) => expectRefused(`{"${member}":${text}${value}}`, `/${member}`))
})

describe('partition', () => {
  it.each(['-1', '1.5', '"0"', '1e3', 'null', 'true', '[0]', '-0', '1.0', '9'.repeat(20)])(
    '%s',
    (text) => expectRefused(`{"value":1,"partition":${text}}`, '/partition'),
  )
})

describe('expected_offsets', () => {
  it.each([
    ['null', ''],
    ['{}', ''],
    ['[0]', '/0'],
    ['[{}]', '/0/partition'],
    ['[{"partition":0}]', '/0/offset'],
    ['[{"partition":0,"offset":-1}]', '/0/offset'],
    ['[{"partition":0,"offset":1.5}]', '/0/offset'],
    ['[{"partition":0,"offset":"0"}]', '/0/offset'],
    ['[{"partition":0,"offset":1e400}]', '/0/offset'],
    ['[{"partition":0,"offset":9007199254740993}]', '/0/offset'],
    ['[{"partition":0,"offset":0},{"partition":-1,"offset":0}]', '/1/partition'],
    ['[{"partition":0,"offset":0,"colour":1}]', '/0/colour'],
    ['[{"partition":0,"offset":0},{"partition":0,"offset":0}]', ''],
  ])('%s', async (text, pointer) => {
    const body = `{"records":[{"value":1,"partition":0}],"expected_offsets":${text}}`
    await expectProblem(await postRecords(server.url, 'log', body), 'invalid_request', {
      pointer: `/expected_offsets${pointer}`,
      written: 'no',
    })
    expect(await highWatermarks(server.url, 'log')).toEqual([0, 0])
  })
})
