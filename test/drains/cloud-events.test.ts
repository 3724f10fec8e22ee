import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../src/contract/limits.ts'
import { decodeBinaryCloudEvent, decodeCloudEvents } from '../../src/drains/cloud-events.ts'
import { mutated } from '../support/json-text.ts'
import { NOBODY, recordsOf, SHOP, valuesOf } from './decoded-records.ts'

const EVENT =
  '{"specversion":"1.0","type":"com.example.paid","source":"/shop/1","subject":"order-7","id":"A234","time":"2026-11-21T18:30:00Z","data":{"amount":12345678901234567890}}'
const BARE = '{"specversion":"1.0","type":"t","source":"/shop/2","id":"1"}'

describe('structured and batched CloudEvents', () => {
  it('are kept as they were sent, under source and id', () => {
    for (const body of [EVENT, ` ${EVENT}\n`, `[${EVENT}]`]) {
      const decoded = decodeCloudEvents(Buffer.from(body), NOBODY)
      expect(recordsOf(decoded)).toMatchObject([{ key: 'order-7', text: EVENT }])
      expect(decoded.ids).toEqual(['/shop/1 A234'])
      expect(decoded.seen).toMatchObject({ lines: 1, flagged: 0 })
      expect(decoded.seen.newest_ms).toBe(Date.parse('2026-11-21T18:30:00Z'))
    }
  })

  it('are keyed by their source where they have no subject', () => {
    const body = Buffer.from(`[${EVENT},${BARE}]`)
    expect(recordsOf(decodeCloudEvents(body, NOBODY)).map(({ key }) => key)).toEqual([
      'order-7',
      '/shop/2',
    ])
    expect(recordsOf(decodeCloudEvents(body, SHOP)).map(({ key }) => key)).toEqual([
      'shop/order-7',
      'shop//shop/2',
    ])
  })

  it('are flagged where something is missing', () => {
    const decoded = decodeCloudEvents(Buffer.from(`[${BARE},{"id":"1"}]`), NOBODY)
    expect(valuesOf(decoded)).toEqual([JSON.parse(BARE), { id: '1' }])
    expect(decoded.ids).toBeUndefined()
    expect(decoded.seen).toMatchObject({ lines: 2, flagged: 1 })
  })

  it('are kept as text where they are not JSON', () => {
    fc.assert(
      fc.property(mutated(fc.constant(Buffer.from(`[${EVENT},${BARE}]`))), (body) => {
        recordsOf(decodeCloudEvents(body, SHOP))
      }),
      { seed: 7070, numRuns: 1000 },
    )
  })
})

describe('binary CloudEvents', () => {
  const attributes = {
    'ce-specversion': '1.0',
    'ce-type': 'com.example.paid',
    'ce-source': '/shop/1',
    'ce-id': 'A234',
    'ce-note': 'Euro%20%E2%82%AC 50%',
    host: 'example.com',
  }
  const decode = (type: string | undefined, body: string | Buffer) =>
    decodeBinaryCloudEvent(
      { ...attributes, ...(type === undefined ? {} : { 'content-type': type }) },
      Buffer.from(body),
      NOBODY,
    )
  const head = '{"specversion":"1.0","type":"com.example.paid","source":"/shop/1","id":"A234"'

  it.each([
    ['application/json', ' {"a":1e400}\n', '"data": {"a":1e400}'],
    ['application/vnd.x+json; charset=utf-8', '"x"', '"data":"x"'],
    ['text/plain', 'hello', '"data":"hello"'],
    ['application/json', 'hello', '"data_base64":"aGVsbG8="'],
    ['application/octet-stream', 'hello', '"data_base64":"aGVsbG8="'],
    ['text/plain', Buffer.of(0xff), '"data_base64":"/w=="'],
  ])('of %s %j hold %s', (type, body, data) => {
    const decoded = decode(type, body)
    const [record] = recordsOf(decoded)
    const note = '"note":"Euro%20%E2%82%AC 50%"'
    const contentType = `"datacontenttype":${JSON.stringify(type)}`
    expect(record?.text).toBe(`${head},${note},${contentType},${data.replace(': {', ':{')}}`)
    expect(record?.key).toBe('/shop/1')
    expect(decoded.ids).toEqual(['/shop/1 A234'])
    expect(decoded.seen).toMatchObject({ lines: 1, flagged: 0 })
  })

  it('may have no data and no type', () => {
    expect(valuesOf(decode(undefined, ''))).toEqual([
      { ...JSON.parse(`${head}}`), note: 'Euro%20%E2%82%AC 50%' },
    ])
    expect(valuesOf(decode(undefined, '{"a":1}'))[0].data).toEqual({ a: 1 })
  })

  it('decode the characters that headers cannot hold', () => {
    const headers = { ...attributes, 'ce-note': 'Euro%20%E2%82%AC' }
    const [value] = valuesOf(decodeBinaryCloudEvent(headers, Buffer.of(), NOBODY))
    expect(value.note).toBe('Euro €')
  })

  it('keep data of as many levels as a record may have', () => {
    const deep = `${'['.repeat(LIMITS.json_depth)}${']'.repeat(LIMITS.json_depth)}`
    const [value] = valuesOf(decode('application/json', deep))
    expect(Buffer.from(value.data_base64, 'base64').toString()).toBe(deep)
  })
})
