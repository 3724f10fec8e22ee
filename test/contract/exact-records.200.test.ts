import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fetchRecord, produceRecords, send } from '../../src/client/index.ts'
import { expectAnswer } from '../support/answers.ts'
import { postRecords, storedRecords } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

/** Stores a record, alone in its topic, and gives back the text of it. */
async function store(topic: string, record: string, form: 'json' | 'ndjson'): Promise<string> {
  const body = form === 'json' ? `{"records":[${record}]}` : `${record}\n`
  const type = form === 'json' ? 'application/json' : 'application/x-ndjson'
  await expectAnswer(produceRecords, await postRecords(server.url, topic, body, type))
  return (await storedRecords(server.url, topic)).at(-1)!
}

const LONG = 'x'.repeat(64 * 1024)

describe.each(['json', 'ndjson'] as const)(
  'a record by %s comes back as it was written',
  (form) => {
    it.each([
      ['a key of any characters', '{"key":"é 😀 \\u0000 \\/ \\"","value":1}'],
      ['a key that is half a surrogate pair', '{"key":"\\ud800","value":1}'],
      ['an empty key', '{"key":"","value":1}'],
      ['a null key', '{"key":null,"value":1}'],
      [
        'header names of any kind',
        '{"value":1,"headers":{"__proto__":"p","":"e","é":"😀","10":"b","9":"a"}}',
      ],
      [
        'header values of any kind',
        '{"value":1,"headers":{"a":"\\u0000","b":"\\ud800","c":"é\\n"}}',
      ],
      ['a header twice', '{"value":1,"headers":{"a":"1","a":"2"}}'],
      ['no header', '{"value":1,"headers":{}}'],
      [
        '32 headers',
        `{"value":1,"headers":{${Array.from({ length: 32 }, (_, n) => `"h${String(n)}":""`).join(',')}}}`,
      ],
      ['a header of 64 KiB', `{"value":1,"headers":{"long":"${LONG}"}}`],
      ['a key of 64 KiB', `{"key":"${LONG}","value":1}`],
      ['spaces inside headers', '{"value":1,"headers":{ "a" : "1" ,\t"b":"2" }}'],
      ['bytes', '{"key_base64":"/w==","value_base64":"AP8=","headers_base64":{"b":"+/8=","e":""}}'],
    ])('%s', async (name, record) => {
      const stored = await store(`${form}-${name.replaceAll(/\W/g, '-')}`, record, form)
      // Not toBe: a difference of 64 KiB is nothing to print.
      expect(stored === record, stored.slice(0, 200)).toBe(true)
    })

    it('with its members in any order, and space between them, each member is kept', async () => {
      const spaced = '{ "headers" : { "a":"1" }\t, "value" :1.0 ,"timestamp": 5 , "key":"k" }'
      const stored = await store(`${form}-order`, spaced, form)
      expect(stored).toContain('"value":1.0')
      expect(stored).toContain('"headers":{ "a":"1" }')
      expect(JSON.parse(stored)).toEqual({ key: 'k', value: 1, headers: { a: '1' } })
    })

    it('base64 with \\/ for / means the same bytes', async () => {
      const record =
        '{"key_base64":"\\/w==","value_base64":"\\/\\/8=","headers_base64":{"h":"\\/w=="}}'
      const stored = await store(`${form}-slash`, record, form)
      expect(JSON.parse(stored)).toEqual(JSON.parse(record))
      const raw = await send(server.url, fetchRecord, {
        params: { topic: `${form}-slash`, partition: 0, offset: 0 },
        headers: { accept: 'application/octet-stream' },
      })
      expect(Buffer.from(await raw.arrayBuffer()).toString('hex')).toBe('ffff')
    })

    it('beside others that had to be written anew', async () => {
      const records = [
        '{"value":12345678901234567890}',
        '{ "value" : 1e400 }',
        '{"value":-0}',
        '{"value":1.0,"timestamp":"2026-11-21T09:22:54Z"}',
        '{"key":"k","value":"\\ud800"}',
      ]
      const together = form === 'json' ? records.join(',') : records.join('\n')
      await store(`${form}-beside`, together, form)
      expect(await storedRecords(server.url, `${form}-beside`)).toEqual([
        '{"value":12345678901234567890}',
        '{"value":1e400}',
        '{"value":-0}',
        '{"value":1.0}',
        '{"key":"k","value":"\\ud800"}',
      ])
    })
  },
)
