import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeFirehose, firehoseAnswer, type Gunzip } from '../../src/drains/firehose.ts'
import { mutated } from '../support/json-text.ts'
import { NOBODY, recordsOf, SHOP, valuesOf } from './decoded-records.ts'

const gunzip: Gunzip = (bytes) => {
  try {
    return gunzipSync(bytes, { maxOutputLength: 1_000_000 })
  } catch {
    return undefined
  }
}

function requestOf(...datas: (string | Buffer)[]): Buffer {
  const records = datas.map((data) => ({ data: Buffer.from(data).toString('base64') }))
  return Buffer.from(
    JSON.stringify({ requestId: 'ed4acda5', timestamp: 1795285800123, records }).replaceAll(
      '/',
      '\\/',
    ),
  )
}
const decode = (body: Buffer, sender = NOBODY) => decodeFirehose(body, sender, gunzip)

const CLOUD_WATCH =
  '{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"/aws/lambda/pay","logStream":"2026/11/21/[1]x","subscriptionFilters":["f"],"logEvents":[{"id":"3","timestamp":1795285800123,"message":"START"},{"id":"4","timestamp":1795285800124,"message":"END"}]}'

describe('decodeFirehose', () => {
  it('reads the JSON, NDJSON and text of its records', () => {
    const decoded = decode(
      requestOf('{"app":"api","n":1e400}', '{"n":2}\n{"n":3}\n', '???>>>\nline two\n', ''),
    )
    expect(recordsOf(decoded).map(({ text }) => text)).toEqual([
      '{"app":"api","n":1e400}',
      '{"n":2}',
      '{"n":3}',
      '{"message":"???>>>"}',
      '{"message":"line two"}',
    ])
    expect(recordsOf(decoded)[0]?.key).toBe('api')
    expect(decoded.ids).toBeUndefined()
    expect(decoded.seen).toMatchObject({ lines: 5, flagged: 0 })
  })

  it('takes the log events out of what CloudWatch Logs packs', () => {
    const decoded = decode(requestOf(gzipSync(CLOUD_WATCH)))
    const headers = {
      log_group: '/aws/lambda/pay',
      log_stream: '2026/11/21/[1]x',
      owner: '123456789012',
      message_type: 'DATA_MESSAGE',
    }
    const key = '/aws/lambda/pay/2026/11/21/[1]x'
    expect(recordsOf(decoded)).toMatchObject([
      { key, headers, text: '{"id":"3","timestamp":1795285800123,"message":"START"}' },
      { key, headers, text: '{"id":"4","timestamp":1795285800124,"message":"END"}' },
    ])
    expect(decoded.seen.newest_ms).toBe(1795285800124)
    expect(recordsOf(decode(requestOf(CLOUD_WATCH + CLOUD_WATCH), SHOP))).toHaveLength(4)
  })

  it('keeps what it cannot unpack', () => {
    const bomb = gzipSync(Buffer.alloc(2_000_000))
    const broken = Buffer.from([0x1f, 0x8b, 1, 2, 3])
    const values = valuesOf(decode(requestOf(bomb, broken)))
    expect(values.map(({ raw_base64 }) => raw_base64)).toEqual([
      bomb.toString('base64'),
      broken.toString('base64'),
    ])
    expect(values[0].flags).toEqual(['gzip', 'not_utf8', 'nul'])
  })

  it('keeps what is no base64, and what is no request', () => {
    const body = '{"requestId":"x","records":[{"data":"!!"},{"data":"e30="}]}'
    expect(valuesOf(decode(Buffer.from(body)))).toEqual([
      { message: '!!', flags: ['not_base64'] },
      {},
    ])
    for (const other of ['{"records":[{"data":1}]}', '{"records":7}', '{"a":1}']) {
      expect(recordsOf(decode(Buffer.from(other))).map(({ text }) => text)).toEqual([other])
    }
    expect(valuesOf(decode(Buffer.from('{"records":')))).toEqual([
      { message: '{"records":', flags: ['not_json'] },
    ])
  })

  it('takes any bytes', () => {
    const body = requestOf('{"n":2}\n{"n":3}\n', CLOUD_WATCH, gzipSync('{"a":1}'))
    fc.assert(
      fc.property(mutated(fc.constant(body)), (bytes) => {
        recordsOf(decode(bytes, SHOP))
      }),
      { seed: 7070, numRuns: 500 },
    )
  })
})

it('Firehose is answered with its own id', () => {
  expect(firehoseAnswer('ed"4', 1795285800123).toString()).toBe(
    '{"requestId":"ed\\"4","timestamp":1795285800123}',
  )
})
