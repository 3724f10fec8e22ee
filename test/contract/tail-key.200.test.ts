import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic } from '../../src/client/index.ts'
import { ask } from '../support/answers.ts'
import { postRecords, produce } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { openTail, outline, TAIL_FORMS, valuesOf } from '../support/tail-reader.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

/** Keys as JSON text, in the ways one may write them, and values that name keys. */
const LINES = [
  '{"key":"plain","value":0}',
  '{"key":"\\u0070lain","value":1}',
  '{ "value" : 2 , "key" : "plain" }',
  '{"value":{"key":"plain"}}',
  '{"value":"\\"key\\":\\"plain\\""}',
  '{"headers":{"key":"plain"},"value":5}',
  '{"key":null,"value":6}',
  '{"key_base64":"cGxhaW4=","value":7}',
  '{"value":8}',
  '{"key":"","value":9}',
  '{"key":"é😀","value":10}',
  '{"key":"\\u00e9\\ud83d\\ude00","value":11}',
  '{"key":"a&b=c %+","value":12}',
  '{"key":"quote\\" back\\\\ nul\\u0000 line\\n","value":13}',
  '{"key":"PLAIN","value":14}',
  '{"key":"plain","value":15,"timestamp":1}',
  '{"key":"__proto__","value":16}',
  '{"key":"plain","value_base64":""}',
]

describe.each(TAIL_FORMS)('a tail of one key as %s', (form) => {
  const open = (topic: string, key: string, query = 'from=earliest&until=latest') =>
    openTail(server.url, form, `/v1/topics/${topic}/tail?${query}&key=${encodeURIComponent(key)}`)

  it.each([
    ['plain', [0, 1, 2, 15, undefined]],
    ['', [9]],
    ['é😀', [10, 11]],
    ['a&b=c %+', [12]],
    ['quote" back\\ nul\u0000 line\n', [13]],
    ['__proto__', [16]],
    ['constructor', []],
    ['key', []],
    ['null', []],
    ['cGxhaW4=', []],
    ['x'.repeat(4000), []],
  ])('%j', async (key, values) => {
    const topic = `keys-${form}-${Buffer.from(key).toString('hex').slice(0, 200)}`
    await postRecords(server.url, topic, `${LINES.join('\n')}\n`, 'application/x-ndjson').expect(
      200,
    )
    const messages = await (await open(topic, key)).rest()
    expect(valuesOf(messages)).toEqual(values)
    // The others were read over, so the position is behind them.
    expect(messages.at(-1)).toMatchObject({ position: `0:${String(LINES.length)}` })
  })

  it('counts only its records for max_records', async () => {
    const topic = `counted-${form}`
    const keys = ['a', 'b', 'b', 'a', 'b', 'a', 'a']
    await produce(
      server.url,
      topic,
      keys.map((key, value) => ({ key, value })),
    )
    const messages = await (await open(topic, 'a', 'from=earliest&max_records=3')).rest()
    expect(valuesOf(messages)).toEqual([0, 3, 5])
    expect(messages.at(-1)).toEqual({ type: 'end', reason: 'max_records', position: '0:6' })
  })

  it('is up to date behind history without one, and then live', async () => {
    const topic = `live-${form}`
    await ask(server.url, createTopic, { body: { name: topic, partitions: 3 } })
    const others = Array.from({ length: 3000 }, (_, n) => ({ key: `other-${String(n)}`, value: n }))
    await produce(server.url, topic, others)
    const tail = await open(topic, 'mine', 'from=earliest')
    expect(outline(await tail.upTo('up_to_date'))).toEqual(['begin', 'up_to_date'])
    await produce(server.url, topic, others.slice(0, 100))
    await produce(server.url, topic, [{ key: 'mine', value: 'first' }])
    await produce(server.url, topic, others.slice(0, 100))
    await produce(server.url, topic, [{ key: 'mine', value: 'second' }])
    expect(valuesOf(await tail.upToRecords(2))).toEqual(['first', 'second'])
  })
})
