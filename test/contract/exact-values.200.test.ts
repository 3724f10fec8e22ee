import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { produceRecords } from '../../src/client/index.ts'
import { expectAnswer } from '../support/answers.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

/** Every way for a JSON value to come in: path, content type, and the body around it. */
const DOORS = [
  ['envelope', '/v1/topics/exact/records', 'application/json', (v: string) => `{"records":[{"value":${v}}]}`], // prettier-ignore
  ['spaced envelope', '/v1/topics/exact/records', 'application/json', (v: string) => `{ "records" : [ { "value" : ${v} } ] }`], // prettier-ignore
  ['NDJSON', '/v1/topics/exact/records', 'application/x-ndjson', (v: string) => `{"value":${v}}\n`],
  ['short door', '/t/exact', 'application/json', (v: string) => ` ${v} `],
  ['short door with NDJSON', '/t/exact', 'application/x-ndjson', (v: string) => `${v}\n`],
] as const

/** JSON that a parser would bend, and JSON that is merely unusual. */
const VALUES = [
  '12345678901234567890',
  '-12345678901234567890.12345678901234567890',
  '1e400',
  '-1E-400',
  '-0',
  '1.0',
  '1.50e+010',
  '0.1234567890123456789012345678901234567890',
  '{"b":1,"a":2,"10":3,"9":4,"1":5}',
  '{"a":1,"a":2,"a":{"b":1,"b":1}}',
  '{"__proto__":{"x":1},"constructor":null,"":0}',
  '"\\u0000"',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '{"\\ud800":"\\uDFFF"}',
  '"\\u00e9 \\/ / \\b\\f\\n\\r\\t \\"\\\\ \u007f \u2028\u2029 \ufeff"',
  '"é 漢 😀 \\ud83d\\ude00 \\uD83D\\uDE00"',
  '{"é":"😀","\\u00e9":2}',
  '[ 1 ,\t2 , { "a" : [ ] , "b" : { } } ]',
  '[]',
  '{}',
  '""',
  'null',
  'true',
  'false',
  '{"value":"inside","offset":7,"timestamp":1}',
]

describe.each(DOORS)('a value by %s comes back as it was written', (_, path, type, around) => {
  it.each(VALUES)('%s', async (value) => {
    const produced = await supertest(server.url).post(path).type(type).send(around(value))
    const { offsets } = await expectAnswer(produceRecords, produced)
    const offset = String(offsets[0]!.base_offset)
    const url = `/v1/topics/exact/partitions/0/records/${offset}`
    const { text } = await supertest(server.url).get(url).expect(200)
    expect(text.replace(/,"timestamp":\d+/, '')).toBe(`{"offset":${offset},"value":${value}}`)
    // And alone: the JSON text of what is not a string, null or bytes.
    if (value.startsWith('"') || value === 'null') return
    const raw = await supertest(server.url).get(url).accept('application/octet-stream').expect(200)
    expect((raw.body as Buffer).toString()).toBe(value)
  })
})

describe('a value over several lines', () => {
  const PRETTY = '{\n  "a": [\n    1,\r\n\t2\n  ],\n  "b": "x\\ny"\n}'
  const ONE_LINE = PRETTY.replaceAll('\n', ' ')

  it.each(DOORS.filter(([, , type]) => type === 'application/json'))(
    'by %s keeps all but the newlines between its tokens, which become spaces',
    async (_, path, type, around) => {
      const produced = await supertest(server.url).post(path).type(type).send(around(PRETTY))
      const { offsets } = await expectAnswer(produceRecords, produced)
      const url = `/v1/topics/exact/partitions/0/records/${String(offsets[0]!.base_offset)}`
      const { text } = await supertest(server.url).get(url).expect(200)
      expect(text.endsWith(`,"value":${ONE_LINE}}`)).toBe(true)
    },
  )

  it('sent by curl -d from a file is that value too', async () => {
    await supertest(server.url).post('/t/pretty').type('form').send(`\n${PRETTY}\n`).expect(200)
    const { text } = await supertest(server.url).get('/t/pretty?until=latest').expect(200)
    expect(text.endsWith(`,"value":${ONE_LINE}}\n`)).toBe(true)
  })
})
