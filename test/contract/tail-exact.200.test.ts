import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { jsonText } from '../support/json-text.ts'
import { postRecords, produce, recordLines } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { openTail, TAIL_FORMS, textsOf } from '../support/tail-reader.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

/** Records that a parser would bend, or that one form or another could take for its own syntax. */
const LINES = [
  '{"value":12345678901234567890}',
  '{"value":[1e400,-1E-400,-0,1.0,1.50e+010,9007199254740993]}',
  '{"value":{"b":1,"a":{"a":1,"a":2},"10":3,"9":4}}',
  '{"value":{"__proto__":{"x":1},"type":"end","position":"0:0"}}',
  '{"value":"\\u0000 \\ud800 \\u000d\\u000a \\r\\n\\n"}',
  '{"value":"\u2028\u2029\u0085 \ufeff \u007f é 漢 😀"}',
  '{"value":"data: x\\nid: 0:99\\n\\nevent: end"}',
  '{"value":"]}],\\"position\\":\\"0:0\\"}"}',
  '{"value":[[],{},"",[{"a":"}]"}]]}',
  '{"value":""}',
  '{"value":null}',
  '{"key":"k\u2028\\u0000","value":1,"headers":{"a\u2028":"b\\r\\n","type":"x"}}',
  '{"key_base64":"AP8=","value_base64":"//79AAAA","headers_base64":{"h":"AA=="}}',
  '{"timestamp":8640000000000000,"value":"timestamp"}',
]
/** With space as one may write it; only the carriage returns are changed, to spaces. */
const SPACED = [
  '{"value" : [ 1 ,\t2 , { "a" : [ ] } ] }',
  '{"value"\r:\r[1,\r2]\r}',
  '{"value":[\r\r\r],\r"key":"k"\r}',
  '{"value":{"a":"\\r",\r"b":1}\r,"headers":{\r"h":"v"\r}}',
]

/** A record's text without offset and timestamp. */
const bare = (text: string) => text.replace(/^\{"partition":0,"offset":\d+,"timestamp":\d+,/, '{')

/** A carriage return between tokens would end a line of an event; there it is a space, as it is to JSON. */
function asWritten(form: string, line: string): string {
  return form === 'sse' ? line.replaceAll('\r', ' ') : line
}

describe.each(TAIL_FORMS)('a tail as %s', (form) => {
  const open = (topic: string, query: string) =>
    openTail(server.url, form, `/v1/topics/${topic}/tail?${query}`)
  const send = (topic: string, lines: readonly string[]) =>
    postRecords(server.url, topic, `${lines.join('\n')}\n`, 'application/x-ndjson').expect(200)

  it.each([
    ['history', 'from=earliest'],
    ['live', 'from=latest'],
  ])('gives the text of records as it was sent: %s', async (when, query) => {
    const topic = `exact-${when}-${form}`
    const all = [...LINES, ...SPACED]
    await produce(server.url, topic, [{ value: 'first' }])
    if (when === 'history') await send(topic, all)
    const tail = await open(topic, query)
    if (when === 'live') {
      await tail.upTo('up_to_date')
      await send(topic, all)
    }
    const texts = textsOf(await tail.upToRecords(all.length + (when === 'history' ? 1 : 0)))
    const found = texts.slice(-all.length).map(({ text }) => bare(text))
    const expected = all.map((line) => asWritten(form, line))
    expect(found).toEqual(expected.map((line) => line.replace('"timestamp":8640000000000000,', '')))
  })

  it('gives what a fetch gives, whatever JSON there is', async () => {
    const topic = `any-${form}`
    const values = fc.sample(jsonText({ newlines: true }), { seed: 7070, numRuns: 500 })
    for (let k = 0; k < values.length; k += 100) {
      const records = values.slice(k, k + 100).map((value) => `{"value":${value}}`)
      await postRecords(server.url, topic, `{"records":[${records.join(',\r\n')}]}`).expect(200)
    }
    const texts = textsOf(await (await open(topic, 'from=earliest&until=latest')).rest())
    const lines = await recordLines(server.url, topic)
    expect(texts.map(({ text }) => text)).toEqual(
      lines.map((line) => `{"partition":0,${asWritten(form, line).slice(1)}`),
    )
  })

  it('gives records larger than a page, and pages full of large ones', async () => {
    const topic = `large-${form}`
    const sizes = [450_000, 1, 900_000, 900_000, 10, 150_000, 150_000, 450_000, 60_000, 60_000]
    const records = sizes.map((size) => ({ value: (size === 450_000 ? 'é' : 'x').repeat(size) }))
    for (const record of records) await produce(server.url, topic, [record])
    const tail = await open(topic, 'from=earliest')
    const history = textsOf(await tail.upTo('up_to_date'))
    await produce(server.url, topic, records)
    const live = textsOf(await tail.upToRecords(records.length))
    for (const found of [history, live]) {
      // Not the values themselves, or a failure would print megabytes.
      const same = found.map(({ record }, k) => record.value === records[k]?.value)
      expect(same).toEqual(records.map(() => true))
    }
    expect([...history, ...live].map(({ record }) => record.offset)).toEqual(
      Array.from({ length: 2 * records.length }, (_, offset) => offset),
    )
  })

  it('gives many records of a partition in pages, without a gap', async () => {
    const topic = `many-${form}`
    const values = Array.from({ length: 9_000 }, (_, k) => ({ value: k }))
    await produce(server.url, topic, values)
    const tail = await open(topic, 'from=earliest')
    const history = textsOf(await tail.upTo('up_to_date'))
    await produce(server.url, topic, values)
    const live = textsOf(await tail.upToRecords(values.length))
    const all = [...history, ...live]
    expect(all.map(({ record }) => record.offset)).toEqual([...all.keys()])
    expect(all.map(({ record }) => record.value)).toEqual(all.map((_, k) => k % values.length))
  })
})
