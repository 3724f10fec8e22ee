import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { produceBody, send } from '../../src/client/index.ts'
import { expectAnswer } from '../support/answers.ts'
import { recordLines, storedRecords } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

async function postLines(topic: string, body: string | Uint8Array<ArrayBuffer>): Promise<number> {
  const response = await send(server.url, produceBody, {
    params: { topic },
    query: { split: 'lines' },
    body,
  })
  const { offsets } = await expectAnswer(produceBody, response)
  return offsets.reduce((sum, { record_count }) => sum + record_count, 0)
}

describe('POST /t/{topic}?split=lines', () => {
  it.each([
    ['lines', 'a\nb\n', ['"a"', '"b"']],
    ['no newline at the end', 'a\nb', ['"a"', '"b"']],
    ['empty lines', '\na\n\n\nb\n\n', ['""', '"a"', '""', '""', '"b"', '""']],
    ['a carriage return stays', 'a\r\nb\r\n', ['"a\\r"', '"b\\r"']],
    ['JSON is text here', '{"a":1}\n[2]\n', ['"{\\"a\\":1}"', '"[2]"']],
    ['only a newline is one empty line', '\n', ['""']],
    ['nothing is one empty line', '', ['""']],
    ['spaces and other separators stay', ' a\t\n\u2028b\v\n', ['" a\\t"', '"\u2028b\\u000b"']],
    ['characters of every length', 'é\n漢\n😀\n\0\n', ['"é"', '"漢"', '"😀"', '"\\u0000"']],
  ])('%s', async (name, body, values) => {
    const topic = name.replaceAll(/[^a-z]/gi, '-')
    expect(await postLines(topic, body)).toBe(values.length)
    expect(await storedRecords(server.url, topic)).toEqual(values.map((v) => `{"value":${v}}`))
  })

  it('a line that is not UTF-8 is kept as bytes, the others as text', async () => {
    const body = Buffer.concat([Buffer.from('ok\n'), Buffer.of(0xff, 0xfe, 0x0a), Buffer.from('é')])
    await postLines('mixed', body)
    expect(await storedRecords(server.url, 'mixed')).toEqual([
      '{"value":"ok"}',
      '{"value_base64":"//4="}',
      '{"value":"é"}',
    ])
  })

  it('gives each line the key, and all of them one place', async () => {
    await supertest(server.url).post('/v1/topics').send({ name: 'keyed', partitions: 4 })
    const response = await supertest(server.url)
      .post('/t/keyed?split=lines&key=k&partition=3')
      .type('text/plain')
      .send('a\nb')
    const { offsets } = await expectAnswer(produceBody, response)
    expect(offsets).toEqual([{ partition: 3, base_offset: 0, record_count: 2 }])
    expect(await storedRecords(server.url, 'keyed', 3)).toEqual([
      '{"key":"k","value":"a"}',
      '{"key":"k","value":"b"}',
    ])
  })

  it('takes 10,000 lines', async () => {
    const lines = Array.from({ length: 10_000 }, (_, index) => `line ${String(index)}`)
    expect(await postLines('many', lines.join('\n'))).toBe(10_000)
    const stored = await recordLines(server.url, 'many')
    expect(stored.map((line) => (JSON.parse(line) as { value: string }).value)).toEqual(lines)
  })
})

describe('POST /t/{topic} as NDJSON', () => {
  it.each(['application/x-ndjson', 'application/jsonl', 'application/ndjson; charset=utf-8'])(
    '%s is one value a line; blank lines are none',
    async (type) => {
      const topic = type.replaceAll(/[^a-z]/g, '-')
      const body = '{"b":1,"a":1.0}\r\n\n \t\r\n"text"\n  null \n[1, 2]'
      await expectAnswer(
        produceBody,
        await supertest(server.url).post(`/t/${topic}?key=k`).type(type).send(body),
      )
      expect(await storedRecords(server.url, topic)).toEqual([
        '{"key":"k","value":{"b":1,"a":1.0}}',
        '{"key":"k","value":"text"}',
        '{"key":"k","value":null}',
        '{"key":"k","value":[1, 2]}',
      ])
    },
  )
})
