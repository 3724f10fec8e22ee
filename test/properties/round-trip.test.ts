import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  call,
  produceBody,
  produceRecords,
  send,
  type ProduceResponse,
} from '../../src/client/index.ts'
import { eachMember, skipValue } from '../../src/records/scan-json.ts'
import { jsonText, stringText } from '../support/json-text.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

/** Bytes come back as sent, through every door. Texts are compared as texts: nothing here is parsed. */
let server: TestServer
let topics = 0
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

/** The one line that each record is served as, from its first offset on. */
async function fetched(topic: string): Promise<string[]> {
  const query = 'max_records=10000&max_bytes=16777216'
  const lines = await fetch(`${server.url}/v1/topics/${topic}/partitions/0/records?${query}`, {
    headers: { accept: 'application/x-ndjson' },
  })
  const page = await fetch(`${server.url}/v1/topics/${topic}/partitions/0/records?${query}`)
  const text = await lines.text()
  const records = text.split('\n').slice(0, -1)
  const head = `{"topic":"${topic}","partition":0,"records":[`
  const count = String(records.length)
  const tail = `],"next_offset":${count},"high_watermark":${count},"log_start_offset":0}`
  expect(await page.text()).toBe(head + records.join(',') + tail)
  return records
}

/** Without what the server adds: the offset, and the time where none was sent. */
function asSent(line: string, offset: number, timestamp: string | undefined): string {
  const stamp = timestamp === undefined ? '"timestamp":\\d{13},' : `"timestamp":${timestamp},`
  const pattern = new RegExp(`^\\{"offset":${String(offset)},${stamp}`)
  expect(line).toMatch(pattern)
  return line.replace(pattern, '{')
}

/** The members of a record as texts; their order says nothing. */
function members(line: string): string[] {
  const bytes = Buffer.from(line)
  const all: string[] = []
  eachMember(bytes, 0, (nameStart, nameEnd, valueStart) => {
    const end = skipValue(bytes, valueStart)
    all.push(bytes.toString('utf8', nameStart, nameEnd) + bytes.toString('utf8', valueStart, end))
    return end
  })
  return all.sort()
}

/** In a stored line a newline between tokens is a space. */
const inOneLine = (text: string) => text.replaceAll('\n', ' ')

const base64 = fc
  .uint8Array({ maxLength: 30 })
  .map((bytes) => Buffer.from(bytes).toString('base64'))

function headersText(value: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const header = fc.tuple(stringText, value).map(([name, text]) => `${name}:${text}`)
  return fc.array(header, { maxLength: 3 }).map((all) => `{${all.join(', ')}}`)
}

/** A record as text: its members in the order they are stored in, so that it comes back as it is. */
const recordText = fc
  .record({
    timestamp: fc.option(
      fc.maxSafeNat().map((n) => String(n % 8_640_000_000_000_001)),
      { nil: undefined },
    ),
    key: fc.option(
      fc.oneof(
        stringText.map((text) => `"key":${text}`),
        base64.map((text) => `"key_base64":"${text}"`),
        fc.constant('"key":null'),
      ),
      { nil: undefined },
    ),
    value: fc.oneof(
      { weight: 4, arbitrary: jsonText().map((text) => `"value":${text}`) },
      { weight: 1, arbitrary: base64.map((text) => `"value_base64":"${text}"`) },
    ),
    headers: fc.option(headersText(stringText), { nil: undefined }),
    headers_base64: fc.option(headersText(base64.map((text) => `"${text}"`)), { nil: undefined }),
  })
  .map(({ timestamp, key, value, headers, headers_base64 }) => ({
    timestamp,
    rest: [
      ...(key === undefined ? [] : [key]),
      value,
      ...(headers === undefined ? [] : [`"headers":${headers}`]),
      ...(headers_base64 === undefined ? [] : [`"headers_base64":${headers_base64}`]),
    ].join(','),
  }))

const recordTexts = fc.array(recordText, { minLength: 1, maxLength: 25 })
const whole = ({ timestamp, rest }: { timestamp: string | undefined; rest: string }) =>
  timestamp === undefined ? `{${rest}}` : `{"timestamp":${timestamp},${rest}}`

async function post(
  path: string,
  type: string | undefined,
  body: string | Uint8Array<ArrayBuffer>,
): Promise<void> {
  const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type }
  // A body of bytes, as fetch gives a text a media type of its own.
  const bytes = typeof body === 'string' ? new Uint8Array(Buffer.from(body)) : body
  const response = await fetch(server.url + path, { method: 'POST', headers, body: bytes })
  expect(response.status, await response.text()).toBe(200)
}

const topic = () => `trip-${String(++topics)}`

describe('records', () => {
  it.each([
    ['the envelope', 'application/json', (all: string[]) => `{"records":[${all.join(',')}]}`],
    [
      'the envelope with space in it',
      'application/json',
      (all: string[]) => `{"records":[ ${all.join(' ,\n')} ]}`,
    ],
    ['NDJSON', 'application/x-ndjson', (all: string[]) => all.join('\n')],
    [
      'NDJSON with CRLF',
      'application/x-ndjson',
      (all: string[]) => all.map((one) => `${one}\r\n`).join(''),
    ],
  ])('come back as sent: %s', async (_, type, write) => {
    await fc.assert(
      fc.asyncProperty(recordTexts, async (records) => {
        const name = topic()
        await post(`/v1/topics/${name}/records`, type, write(records.map(whole)))
        const lines = await fetched(name)
        expect(
          lines.map((line, offset) => asSent(line, offset, records[offset]?.timestamp)),
        ).toEqual(records.map(({ rest }) => `{${rest}}`))
      }),
      { seed: 7070, numRuns: 30 },
    )
  })

  it('come back as sent, each in a request of its own', async () => {
    await fc.assert(
      fc.asyncProperty(recordTexts, async (records) => {
        const name = topic()
        const answers = await Promise.all(
          records.map((record) =>
            call(server.url, produceRecords, {
              params: { topic: name },
              body: `{"records":[${whole(record)}]}`,
              headers: { 'content-type': 'application/json' },
            }),
          ),
        )
        const lines = await fetched(name)
        const texts = answers.map((answer: ProduceResponse, index) => {
          const offset = answer.offsets[0]!.base_offset
          return asSent(lines[offset]!, offset, records[index]?.timestamp)
        })
        expect(texts).toEqual(records.map(({ rest }) => `{${rest}}`))
      }),
      { seed: 7070, numRuns: 10 },
    )
  })

  it('keep every member where they must be rebuilt', async () => {
    await fc.assert(
      fc.asyncProperty(recordTexts, async (records) => {
        const name = topic()
        // The partition in front and the timestamp behind: neither can be taken over as it is.
        const sent = records.map(
          ({ timestamp, rest }) =>
            [
              `{ "partition":0`,
              rest,
              ...(timestamp === undefined ? [] : [`"timestamp" : ${timestamp}`]),
            ].join(' ,') + '\r\n}',
        )
        await post(
          `/v1/topics/${name}/records`,
          'application/json',
          `{"records":[${sent.join(',\n')}]}`,
        )
        const lines = await fetched(name)
        const stored = lines.map((line, offset) => asSent(line, offset, records[offset]?.timestamp))
        expect(stored.map(members)).toEqual(records.map(({ rest }) => members(`{${rest}}`)))
      }),
      { seed: 7070, numRuns: 20 },
    )
  })
})

describe('the short door', () => {
  const key = fc.option(fc.string({ unit: 'grapheme', maxLength: 8 }), { nil: undefined })
  const withKey = (value: string | undefined) =>
    value === undefined ? '' : `"key":${JSON.stringify(value)},`

  async function knock(
    name: string,
    type: string | undefined,
    body: string | Uint8Array<ArrayBuffer>,
    query: Record<string, string | undefined>,
  ) {
    const given = Object.entries(query).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    )
    await post(`/t/${name}?${new URLSearchParams(given).toString()}`, type, body)
    const lines = await fetched(name)
    return lines.map((line, offset) => asSent(line, offset, undefined))
  }

  it.each(['application/json', 'application/vnd.api+json; charset=utf-8'])(
    'keeps JSON: %s',
    async (type) => {
      await fc.assert(
        fc.asyncProperty(jsonText({ newlines: true }), key, async (text, k) => {
          expect(await knock(topic(), type, ` ${text}\n`, { key: k })).toEqual([
            `{${withKey(k)}"value":${inOneLine(text)}}`,
          ])
        }),
        { seed: 7070, numRuns: 25 },
      )
    },
  )

  it.each(['text/plain', 'application/xml', undefined])('keeps text: %s', async (type) => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 60 }), key, async (text, k) => {
        const wellFormed = Buffer.from(text).toString()
        expect(await knock(topic(), type, wellFormed, { key: k })).toEqual([
          `{${withKey(k)}"value":${JSON.stringify(wellFormed)}}`,
        ])
      }),
      { seed: 7070, numRuns: 25 },
    )
  })

  it('keeps what curl -d sends: an object or array as JSON, anything else as text', async () => {
    const bodies = fc.oneof(jsonText({ newlines: true }), fc.string({ unit: 'grapheme' }))
    await fc.assert(
      fc.asyncProperty(bodies, async (text) => {
        const value = /^[[{]/.test(text) ? inOneLine(text) : JSON.stringify(text)
        const type = 'application/x-www-form-urlencoded'
        expect(await knock(topic(), type, text, {})).toEqual([`{"value":${value}}`])
      }),
      { seed: 7070, numRuns: 25 },
    )
  })

  it.each(['application/octet-stream', 'image/png'])('keeps bytes: %s', async (type) => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), key, async (bytes, k) => {
        const name = topic()
        expect(await knock(name, type, new Uint8Array(bytes), { key: k })).toEqual([
          `{${withKey(k)}"value_base64":"${Buffer.from(bytes).toString('base64')}"}`,
        ])
        const value = await fetch(`${server.url}/v1/topics/${name}/partitions/0/records/0`, {
          headers: { accept: 'application/octet-stream' },
        })
        expect(Buffer.from(await value.arrayBuffer())).toEqual(Buffer.from(bytes))
      }),
      { seed: 7070, numRuns: 25 },
    )
  })

  it('keeps the value of text as bytes, too', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), async (bytes) => {
        const name = topic()
        await send(server.url, produceBody, {
          params: { topic: name },
          body: new Uint8Array(bytes),
          headers: { 'content-type': 'text/plain' },
        })
        const value = await fetch(`${server.url}/v1/topics/${name}/partitions/0/records/0`, {
          headers: { accept: 'application/octet-stream' },
        })
        expect(Buffer.from(await value.arrayBuffer())).toEqual(Buffer.from(bytes))
      }),
      { seed: 7070, numRuns: 25 },
    )
  })

  it('keeps lines of bytes, one record each', async () => {
    const line = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }).map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
    )
    const lines = fc.array(
      line.map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0x0a))),
      { minLength: 1, maxLength: 20 },
    )
    await fc.assert(
      fc.asyncProperty(lines, key, fc.boolean(), async (all, k, ended) => {
        const last = all.at(-1)!
        // An empty line at the very end is no line, unless it is ended itself.
        if (!ended && last.length === 0) all[all.length - 1] = Buffer.from('x')
        const newline = Buffer.from('\n')
        const body = Buffer.concat(
          all.flatMap((one, index) => (index === 0 ? [one] : [newline, one])),
        )
        const name = topic()
        const sent = ended ? Buffer.concat([body, newline]) : body
        const stored = await knock(name, 'text/plain', new Uint8Array(sent), {
          key: k,
          split: 'lines',
        })
        expect(stored).toHaveLength(all.length)
        for (const [index, text] of stored.entries()) {
          const record = JSON.parse(text) as { key?: string; value?: string; value_base64?: string }
          expect(record.key).toBe(k)
          const bytes =
            record.value === undefined
              ? Buffer.from(record.value_base64!, 'base64')
              : Buffer.from(record.value)
          expect(bytes).toEqual(all[index])
        }
      }),
      { seed: 7070, numRuns: 25 },
    )
  })

  it('keeps a JSON value a line', async () => {
    const values = fc.array(jsonText(), { minLength: 1, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(values, key, async (texts, k) => {
        const stored = await knock(topic(), 'application/x-ndjson', texts.join('\n'), { key: k })
        expect(stored).toEqual(texts.map((text) => `{${withKey(k)}"value":${text}}`))
      }),
      { seed: 7070, numRuns: 25 },
    )
  })
})
