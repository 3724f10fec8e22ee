import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { otlpError, otlpResponse } from '../../src/drains/otlp-answer.ts'
import { REQUESTS, RPC_STATUS, type OtlpSignal } from '../../src/drains/otlp-schema.ts'
import { decodeOtlp, type OtlpOptions } from '../../src/drains/otlp.ts'
import type { Decoded } from '../../src/drains/decoded.ts'
import { jsonText, mutated } from '../support/json-text.ts'
import { NOBODY, recordsOf, SHOP, valuesOf, type Json } from './decoded-records.ts'

const text = (stringValue: string) => ({ stringValue })

/** As Heroku's Fir sends it: the router, and an app's own line. */
const FIR = {
  resourceLogs: [
    {
      resource: {
        attributes: [
          { key: 'service.name', value: text('heroku-router') },
          { key: 'service.instance.id', value: text('i-07') },
          { key: 'heroku.app.id', value: text('2daa2797') },
        ],
      },
      scopeLogs: [
        {
          scope: { name: 'router', version: '2.0' },
          logRecords: [
            {
              timeUnixNano: '1795285800123456789',
              observedTimeUnixNano: '1795285800200000000',
              severityNumber: 9,
              severityText: 'Information',
              body: text('at=info method=GET path="/" status=200'),
              attributes: [
                { key: 'http.response.status_code', value: { intValue: '200' } },
                { key: 'big', value: { intValue: '-9223372036854775808' } },
                { key: 'ratio', value: { doubleValue: 0.25 } },
                { key: 'cached', value: { boolValue: false } },
                { key: 'empty', value: text('') },
                { key: 'zero', value: { intValue: '0' } },
                {
                  key: 'tags',
                  value: { arrayValue: { values: [text('a'), { intValue: '1' }, {}] } },
                },
                {
                  key: 'nested',
                  value: { kvlistValue: { values: [{ key: 'b', value: text('c') }] } },
                },
                { key: 'blob', value: { bytesValue: '/wA=' } },
              ],
              droppedAttributesCount: 2,
              flags: 1,
              traceId: '5b8efff798038103d269b633813fc60c',
              spanId: 'eee19b7ec3c1b174',
            },
          ],
        },
      ],
    },
    {
      resource: { attributes: [{ key: 'service.name', value: text('web') }] },
      scopeLogs: [
        {
          logRecords: [
            { body: text('hello') },
            { severityNumber: 18, body: { kvlistValue: { values: [] } }, eventName: 'paid' },
          ],
        },
      ],
    },
  ],
}

const HEX = new Set(['traceId', 'spanId', 'parentSpanId'])

/** The same request in protobuf: ids as bytes, and the texts of bodies too. */
function protobufOf(signal: OtlpSignal, request: unknown): Buffer {
  const plain = JSON.parse(JSON.stringify(request), (name, value: Json) => {
    if (HEX.has(name)) return Buffer.from(value, 'hex').toString('base64')
    const isTextBody = name === 'body' && typeof value.stringValue === 'string'
    if (!isTextBody) return value
    return { stringValue: Buffer.from(value.stringValue).toString('base64') }
  })
  const type = REQUESTS[signal]
  return Buffer.from(type.encode(type.fromObject(plain)).finish())
}

const jsonOf = (request: unknown) => Buffer.from(JSON.stringify(request))

function decoded(result: Decoded | { malformed: string }): Decoded {
  if ('malformed' in result) throw new Error(result.malformed)
  return result
}

const logs = (request: unknown, options: OtlpOptions = {}) =>
  decoded(decodeOtlp(jsonOf(request), 'json', 'logs', NOBODY, options))

function logsOf(...logRecords: Json[]): Json {
  return { resourceLogs: [{ scopeLogs: [{ logRecords }] }] }
}

describe('logs of Heroku Fir', () => {
  const bodies = [
    ['json', jsonOf(FIR)],
    ['protobuf', protobufOf('logs', FIR)],
  ] as const

  it.each(bodies)('in %s are one record each', (encoding, body) => {
    const result = decoded(decodeOtlp(body, encoding, 'logs', NOBODY))
    const [router, hello, paid] = recordsOf(result)
    expect(router?.key).toBe('heroku-router/i-07')
    expect(router?.text).toBe(
      '{"timestamp":"2026-11-21T18:30:00.123456789Z","observed":"2026-11-21T18:30:00.200000000Z",' +
        '"severity":"Information","severity_number":9,"app":"heroku-router","process":"i-07","kind":"router",' +
        '"fields":{"at":"info","method":"GET","path":"/","status":200},' +
        '"message":"at=info method=GET path=\\"/\\" status=200",' +
        '"attributes":{"http.response.status_code":200,"big":-9223372036854775808,"ratio":0.25,"cached":false,' +
        '"empty":"","zero":0,"tags":["a",1,null],"nested":{"b":"c"},"blob":"/wA="},' +
        '"resource":{"service.name":"heroku-router","service.instance.id":"i-07","heroku.app.id":"2daa2797"},' +
        '"scope":{"name":"router","version":"2.0"},"trace_id":"5b8efff798038103d269b633813fc60c",' +
        '"span_id":"eee19b7ec3c1b174","trace_flags":1,"dropped_attributes":2}',
    )
    expect(hello).toMatchObject({
      key: 'web',
      text: '{"timestamp":null,"app":"web","message":"hello","resource":{"service.name":"web"}}',
    })
    expect(paid?.text).toBe(
      '{"timestamp":null,"severity":"ERROR2","severity_number":18,"app":"web","body":{},"event_name":"paid",' +
        '"resource":{"service.name":"web"}}',
    )
    expect(result.ids).toBeUndefined()
    expect(result.seen).toEqual({
      lines: 3,
      dropped: 0,
      flagged: 0,
      looped: 0,
      sources: new Set(['heroku-router/i-07', 'web']),
      newest_ms: 1795285800123,
    })
  })

  it('take the label of the drain', () => {
    const [router, hello] = recordsOf(decoded(decodeOtlp(jsonOf(FIR), 'json', 'logs', SHOP)))
    expect(router?.key).toBe('shop/i-07')
    expect(hello?.key).toBe('shop')
    expect(hello?.value).not.toHaveProperty('kind')
  })
})

describe('numbers', () => {
  it('keep their digits where JSON has them bare', () => {
    const body = Buffer.from(
      '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":1795285800123456789,"body":{"arrayValue":{"values":[' +
        '{"intValue":12345678901234567890},{"doubleValue":1e400},{"doubleValue":0.1234567890123456789},' +
        '{"doubleValue":"NaN"},{"doubleValue":-0},{"stringValue":"12345678901234567890"}]}}}]}]}]}',
    )
    expect(recordsOf(decoded(decodeOtlp(body, 'json', 'logs', NOBODY)))[0]?.text).toBe(
      '{"timestamp":"2026-11-21T18:30:00.123456789Z","body":[12345678901234567890,1e400,0.1234567890123456789,' +
        '"NaN",-0,"12345678901234567890"]}',
    )
  })

  it('of 64 bits come out of protobuf as they went in', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (number) => {
        const request = logsOf({ body: { intValue: String(number) } })
        const result = decodeOtlp(protobufOf('logs', request), 'protobuf', 'logs', NOBODY)
        expect(recordsOf(decoded(result))[0]?.text).toBe(`{"timestamp":null,"body":${number}}`)
      }),
      { seed: 7070, numRuns: 200 },
    )
  })

  it('make times of nine digits', () => {
    const times = ['1', '999999999', '1000000000', '18446744073709551615', '0', 'NaN']
    const values = valuesOf(logs(logsOf(...times.map((timeUnixNano) => ({ timeUnixNano })))))
    expect(values.map(({ timestamp }) => timestamp)).toEqual([
      '1970-01-01T00:00:00.000000001Z',
      '1970-01-01T00:00:00.999999999Z',
      '1970-01-01T00:00:01.000000000Z',
      '2554-07-21T23:34:33.709551615Z',
      null,
      null,
    ])
  })
})

describe('text that is not UTF-8', () => {
  it('is kept as bytes where protobuf has it as a message', () => {
    const type = REQUESTS.logs
    const body = Buffer.from(
      type.encode(type.fromObject(logsOf({ body: { stringValue: [0x61, 0xe9] } }))).finish(),
    )
    const result = decoded(decodeOtlp(body, 'protobuf', 'logs', NOBODY))
    expect(valuesOf(result)).toEqual([
      { timestamp: null, message: 'a\ufffd', raw_base64: 'Yek=', flags: ['not_utf8'] },
    ])
    expect(result.seen.flagged).toBe(1)
  })

  it('is flagged in JSON', () => {
    const body = Buffer.from(JSON.stringify(logsOf({ body: text('\xe9\0') })), 'latin1')
    expect(valuesOf(decoded(decodeOtlp(body, 'json', 'logs', NOBODY)))).toEqual([
      { timestamp: null, message: '\ufffd\0', flags: ['not_utf8', 'nul'] },
    ])
  })
})

describe('content ids', () => {
  const ids = (request: unknown) => logs(request, { content_ids: true }).ids ?? []
  const log = { timeUnixNano: '7', observedTimeUnixNano: '8', body: text('x') }

  it('are the same for what is sent again, in whichever encoding', () => {
    const again = decodeOtlp(protobufOf('logs', logsOf(log)), 'protobuf', 'logs', NOBODY, {
      content_ids: true,
    })
    expect(decoded(again).ids).toEqual(ids(logsOf(log)))
    expect(ids(logsOf({ ...log, observedTimeUnixNano: '9' }))).toEqual(ids(logsOf(log)))
    expect(ids(logsOf(log))[0]).toMatch(/^[0-9a-f]{64}$/)
  })

  it('differ with time, body, attributes, resource and scope', () => {
    const scoped = { resourceLogs: [{ scopeLogs: [{ scope: { name: 's' }, logRecords: [log] }] }] }
    const attributes = [{ key: 'a', value: text('b') }]
    const owned = {
      resourceLogs: [{ resource: { attributes }, scopeLogs: [{ logRecords: [log] }] }],
    }
    const all = [
      ...ids(logsOf(log, { ...log, timeUnixNano: '6' }, { ...log, body: text('y') })),
      ...ids(logsOf({ ...log, attributes })),
      ...ids(scoped),
      ...ids(owned),
    ]
    expect(new Set(all).size).toBe(6)
  })

  it('differ for equal logs of one request, and are the same when it is repeated', () => {
    const twice = logsOf(log, log, { body: text('x') }, { body: text('x') })
    expect(new Set(ids(twice)).size).toBe(4)
    expect(ids(twice)).toEqual(ids(twice))
    expect(ids(logsOf({ body: text('x') }))).not.toContain(ids(twice)[2])
  })
})

const METRICS = {
  resourceMetrics: [
    {
      resource: { attributes: [{ key: 'service.name', value: text('web') }] },
      scopeMetrics: [
        {
          metrics: [
            {
              name: 'load',
              gauge: {
                dataPoints: [
                  { timeUnixNano: '1795285800123456789', asInt: '-9007199254740993' },
                  { timeUnixNano: '1', asDouble: 0 },
                ],
              },
            },
            {
              name: 'latency',
              histogram: {
                dataPoints: [
                  { count: '3', sum: 0, bucketCounts: ['1', '2'], explicitBounds: [0.5, 1] },
                ],
                aggregationTemporality: 2,
              },
            },
          ],
        },
      ],
    },
    {},
  ],
}
const TRACES = {
  resourceSpans: [
    {
      scopeSpans: [
        {
          spans: [
            {
              traceId: '5b8efff798038103d269b633813fc60c',
              spanId: 'eee19b7ec3c1b174',
              parentSpanId: 'eee19b7ec3c1b173',
              name: 'GET /',
              kind: 2,
              startTimeUnixNano: '1795285800123456789',
              endTimeUnixNano: '1795285800123456790',
              attributes: [{ key: 'ok', value: { boolValue: false } }],
              events: [{ timeUnixNano: '5', name: 'e' }],
              status: { code: 2, message: 'no' },
            },
          ],
        },
      ],
    },
  ],
}

describe('metrics and traces', () => {
  it('are one record for each resource, as OTLP JSON', () => {
    const body = Buffer.from(` ${JSON.stringify(METRICS, null, 1)}`)
    const records = recordsOf(decoded(decodeOtlp(body, 'json', 'metrics', NOBODY)))
    expect(records.map(({ key }) => key)).toEqual(['web', undefined])
    expect(records.map(({ value }) => value)).toEqual(
      METRICS.resourceMetrics.map((batch) => ({ signal: 'metrics', ...batch })),
    )
  })

  it.each([
    ['metrics', METRICS, METRICS.resourceMetrics],
    ['traces', TRACES, TRACES.resourceSpans],
  ] as const)('come out of protobuf as that JSON: %s', (signal, request, batches) => {
    const result = decodeOtlp(protobufOf(signal, request), 'protobuf', signal, NOBODY)
    const bare = (value: unknown): Json =>
      JSON.parse(JSON.stringify(value), (_, member: Json) =>
        Array.isArray(member) && member.length === 0 ? undefined : member,
      )
    expect(valuesOf(decoded(result)).map(bare)).toEqual(
      batches.map((batch) => ({ signal, ...batch })),
    )
  })

  it('keep numbers as they were sent', () => {
    const body = Buffer.from('{"resourceSpans":[{"x":1e400,"x":12345678901234567890}]}')
    expect(recordsOf(decoded(decodeOtlp(body, 'json', 'traces', NOBODY)))[0]?.text).toBe(
      '{"signal":"traces","x":1e400,"x":12345678901234567890}',
    )
  })
})

describe('what is no request', () => {
  it.each([
    ['', 'JSON'],
    ['[]', 'the body must be an object'],
    ['{}x', 'goes on behind its JSON, at byte 2'],
    ['{"resourceLogs":{}}', 'resourceLogs must be an array'],
    ['{"resourceLogs":[null]}', 'resourceLogs[0] must be an object'],
    [
      '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"now"}]}]}]}',
      'resourceLogs[0].scopeLogs[0].logRecords[0].timeUnixNano must be a number',
    ],
    [
      '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"boolValue":1}}]}]}]}',
      'body.boolValue must be true or false',
    ],
    ['{"resourceLogs":[{"schemaUrl":1}]}', 'resourceLogs[0].schemaUrl must be a string'],
  ])('is named: %s', (body, problem) => {
    expect(decodeOtlp(Buffer.from(body), 'json', 'logs', NOBODY)).toEqual({
      malformed: expect.stringContaining(problem),
    })
  })

  it('is named in protobuf', () => {
    const cut = protobufOf('logs', FIR).subarray(0, -3)
    expect(decodeOtlp(cut, 'protobuf', 'logs', NOBODY)).toEqual({
      malformed: expect.stringContaining('no protobuf of OTLP logs'),
    })
  })

  it('may be empty', () => {
    expect(decodeOtlp(Buffer.of(), 'protobuf', 'logs', NOBODY)).toMatchObject({ records: [] })
    for (const body of ['{}', '{"resourceLogs":null}', '{"resourceLogs":[{}],"more":1}']) {
      expect(decodeOtlp(Buffer.from(body), 'json', 'logs', NOBODY)).toMatchObject({ records: [] })
    }
  })

  it('throws nothing, whatever the bytes', () => {
    const signals = ['logs', 'metrics', 'traces'] as const
    const valid = [FIR, METRICS, TRACES].flatMap((request) => [
      jsonOf(request),
      ...signals.map((signal) => protobufOf(signal, request)),
    ])
    const bytes = fc.oneof(
      mutated(fc.constantFrom(...valid)),
      fc.uint8Array({ maxLength: 60 }).map((some) => Buffer.from(some)),
      jsonText().map((json) => Buffer.from(`{"resourceLogs":[{"scopeLogs":[${json}]}]}`)),
      jsonText().map((json) => Buffer.from(`{"resourceSpans":[${json}]}`)),
    )
    const encodings = fc.constantFrom('json', 'protobuf')
    fc.assert(
      fc.property(bytes, encodings, fc.constantFrom(...signals), (body, encoding, signal) => {
        const result = decodeOtlp(body, encoding, signal, SHOP, { content_ids: true })
        if (!('malformed' in result)) recordsOf(result)
      }),
      { seed: 7070, numRuns: 3000 },
    )
  })
})

describe('answers', () => {
  it('are empty messages', () => {
    expect(otlpResponse('json')).toEqual({
      content_type: 'application/json',
      body: Buffer.from('{}'),
    })
    expect(otlpResponse('protobuf')).toEqual({
      content_type: 'application/x-protobuf',
      body: Buffer.of(),
    })
  })

  it('to what was refused are a status', () => {
    const json = otlpError('json', 'invalid_argument', 'no "body"')
    expect(JSON.parse(json.body.toString())).toEqual({ code: 3, message: 'no "body"' })
    const binary = otlpError('protobuf', 'unavailable', 'later')
    expect(binary.content_type).toBe('application/x-protobuf')
    expect(RPC_STATUS.toObject(RPC_STATUS.decode(binary.body))).toEqual({
      code: 14,
      message: 'later',
    })
  })
})
