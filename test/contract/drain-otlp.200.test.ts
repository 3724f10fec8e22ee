import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Sending } from '../support/drain-calls.ts'
import { useDrains } from '../support/use-drains.ts'

const drains = useDrains()
beforeAll(async () => {
  await drains.create('otlp')
})

const PROTOBUF = 'application/x-protobuf'
const JSON_TYPE = 'application/json'

/** A message of protobuf's wire format: length-delimited fields. */
const field = (number: number, ...content: Buffer[]): Buffer => {
  const bytes = Buffer.concat(content)
  const length: number[] = []
  for (let rest = bytes.length; ; rest >>>= 7) {
    if (rest < 0x80) {
      length.push(rest)
      break
    }
    length.push((rest & 0x7f) | 0x80)
  }
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes])
}
/** ExportLogsServiceRequest > ResourceLogs > ScopeLogs > LogRecord > body: AnyValue of a string. */
const logsOf = (...texts: string[]) =>
  field(1, field(2, ...texts.map((text) => field(2, field(5, field(1, Buffer.from(text)))))))
const jsonLogsOf = (...texts: string[]) =>
  JSON.stringify({
    resourceLogs: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
        scopeLogs: [
          {
            logRecords: texts.map((stringValue) => ({
              timeUnixNano: '1795252974170000000',
              body: { stringValue },
            })),
          },
        ],
      },
    ],
  })

const sendTo = (
  signal: string,
  body: string | Buffer,
  type: string | undefined,
  sending: Sending = {},
) =>
  drains.post('otlp', body, {
    below: `/v1/${signal}`,
    ...sending,
    headers: { ...(type === undefined ? {} : { 'content-type': type }), ...sending.headers },
  })

describe('OTLP logs', () => {
  it.each([
    ['JSON', JSON_TYPE, jsonLogsOf('a JSON', 'b JSON'), '{}'],
    [
      'JSON in UTF-8',
      `${JSON_TYPE}; charset=utf-8`,
      jsonLogsOf('a JSON in UTF-8', 'b JSON in UTF-8'),
      '{}',
    ],
    ['protobuf', PROTOBUF, logsOf('a protobuf', 'b protobuf'), ''],
  ])('are stored and answered in the same content type: %s', async (name, type, body, answered) => {
    const answer = await sendTo('logs', body, type)
    expect([answer.status, answer.text]).toEqual([200, answered])
    expect(answer.headers['content-type']).toBe(type.split(';')[0])
    expect(answer.headers['content-length']).toBe(String(answered.length))
    expect(answer.headers).not.toHaveProperty('transfer-encoding')
    expect(await drains.messages('otlp')).toEqual(
      expect.arrayContaining([`a ${name}`, `b ${name}`]),
    )
  })

  it.each([
    ['JSON', JSON_TYPE, jsonLogsOf('gzipped json')],
    ['protobuf', PROTOBUF, logsOf('gzipped protobuf')],
  ])('may be compressed: %s', async (name, type, body) => {
    const headers = { 'content-encoding': 'gzip' }
    expect((await sendTo('logs', gzipSync(body), type, { headers })).status).toBe(200)
    expect(await drains.messages('otlp')).toContain(`gzipped ${name.toLowerCase()}`)
  })

  it.each([
    ['JSON', JSON_TYPE, '{"resourceLogs":[]}'],
    ['protobuf', PROTOBUF, ''],
  ])('may be none: %s', async (_name, type, body) => {
    expect((await sendTo('logs', body, type)).status).toBe(200)
  })
})

describe('OTLP metrics and traces', () => {
  it.each([
    ['metrics', '{"resourceMetrics":[{"scopeMetrics":[]}]}'],
    ['traces', '{"resourceSpans":[{"scopeSpans":[]}]}'],
  ])('are kept whole: %s', async (signal, body) => {
    expect((await sendTo(signal, body, JSON_TYPE)).status).toBe(200)
    const values = (await drains.records('otlp')).map(({ value }) => value)
    expect(values).toContainEqual(expect.objectContaining({ signal }))
  })

  it('and nothing else', async () => {
    const answer = await sendTo('profiles', '{}', JSON_TYPE)
    expect(answer.status).toBe(400)
  })
})

describe('what is no OTLP is 400, as its specification wants it', () => {
  it.each([
    ['no JSON', JSON_TYPE, '{"resourceLogs":'],
    ['other JSON', JSON_TYPE, '{"resourceLogs":"x"}'],
    ['JSON behind JSON', JSON_TYPE, '{"resourceLogs":[]} {}'],
    ['nothing', JSON_TYPE, ''],
    ['a list', JSON_TYPE, '[]'],
    ['a scalar', JSON_TYPE, '1'],
    ['text', PROTOBUF, 'hello, this is text'],
    ['a cut message', PROTOBUF, logsOf('x'.repeat(300)).subarray(0, 200)],
    ['an endless length', PROTOBUF, Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f])],
  ])('%s (%s)', async (_what, type, body) => {
    const answer = await sendTo('logs', body, type)
    expect([answer.status, answer.text]).toEqual([400, expect.anything()])
    expect(answer.headers['content-type']).toBe(type)
    if (type === JSON_TYPE) {
      expect(JSON.parse(answer.text)).toEqual({ code: 3, message: expect.any(String) })
    }
  })

  it('a level of nesting too many does no harm', async () => {
    const deep = `{"resourceLogs":${'['.repeat(100_000)}`
    expect((await sendTo('logs', deep, JSON_TYPE)).status).toBe(400)
    const wire = Array.from({ length: 2_000 }).reduce<Buffer>(
      (inner) => field(5, inner),
      Buffer.from('x'),
    )
    const answer = await sendTo('logs', field(1, field(2, field(2, wire))), PROTOBUF)
    expect([200, 400]).toContain(answer.status)
  })
})
