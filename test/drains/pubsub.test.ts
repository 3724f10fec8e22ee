import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodePubsub } from '../../src/drains/pubsub.ts'
import { mutated } from '../support/json-text.ts'
import { NOBODY, recordsOf, SHOP, type Json } from './decoded-records.ts'

function push(data: string | Buffer | undefined, more: Json = {}): Buffer {
  return Buffer.from(
    JSON.stringify({
      message: {
        ...(data === undefined ? {} : { data: Buffer.from(data).toString('base64') }),
        messageId: '2070443601311540',
        publishTime: '2026-11-21T18:30:00.917Z',
        ...more,
      },
      subscription: 'projects/p/subscriptions/s',
      deliveryAttempt: 5,
    }),
  )
}
const HEADERS = {
  pubsub_message_id: '2070443601311540',
  pubsub_publish_time: '2026-11-21T18:30:00.917Z',
  pubsub_subscription: 'projects/p/subscriptions/s',
  pubsub_delivery_attempt: '5',
}

describe('decodePubsub', () => {
  it.each([
    ['{"n":12345678901234567890}', '{"n":12345678901234567890}'],
    [' [1]\n', '[1]'],
    ['17', '{"message":17}'],
    ['two\nlines', '{"message":"two\\nlines"}'],
    ['{"a":1}{"a":2}', '{"message":"{\\"a\\":1}{\\"a\\":2}"}'],
    [undefined, '{"message":""}'],
    [Buffer.of(0xff), '{"message":"\ufffd","flags":["not_utf8"],"raw_base64":"/w=="}'],
  ])('makes one record of %j', (data, text) => {
    const decoded = decodePubsub(push(data), NOBODY)
    expect(recordsOf(decoded)).toMatchObject([{ text, headers: HEADERS }])
    expect(decoded.ids).toEqual(['2070443601311540'])
    expect(decoded.seen.newest_ms).toBe(Date.parse('2026-11-21T18:30:00.917Z'))
  })

  it('keys it by its ordering key, or its subscription', () => {
    const keyOf = (more: Json, sender = NOBODY) =>
      recordsOf(decodePubsub(push('x', more), sender))[0]?.key
    expect(keyOf({ orderingKey: 'user-7' })).toBe('user-7')
    expect(keyOf({ orderingKey: 'user-7' }, SHOP)).toBe('shop/user-7')
    expect(keyOf({})).toBe('projects/p/subscriptions/s')
    expect(keyOf({}, SHOP)).toBe('shop')
  })

  it('makes headers of attributes', () => {
    const attributes = { trace: 'é"', 'logging.googleapis.com/timestamp': 'x' }
    expect(recordsOf(decodePubsub(push('x', { attributes }), NOBODY))[0]?.headers).toEqual({
      ...attributes,
      ...HEADERS,
    })
    const odd = Buffer.from(
      '{"message":{"messageId":"7","attributes":{"__proto__":"x","n":1},"data":"e30="}}',
    )
    const [record] = recordsOf(decodePubsub(odd, NOBODY))
    expect(Object.entries(record?.headers ?? {})).toEqual([
      ['__proto__', 'x'],
      ['pubsub_message_id', '7'],
    ])
  })

  it.each([
    ['{"a":1}', { value: { a: 1 } }],
    ['text', { value: { message: 'text' } }],
  ])('moves attributes into the value where there are too many: %s', (data, value) => {
    const attributes = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`a${i}`, 'x']))
    const [record] = recordsOf(decodePubsub(push(data, { attributes }), NOBODY))
    expect(record?.headers).toBeUndefined()
    expect(record?.value).toEqual({ headers: { ...attributes, ...HEADERS }, ...value })
  })

  it('moves attributes into the value where they are too long', () => {
    const attributes = { long: 'x'.repeat(100_000) }
    const [record] = recordsOf(decodePubsub(push('{}', { attributes }), NOBODY))
    expect(record?.value.headers.long).toHaveLength(100_000)
  })

  it('keeps data that is no base64', () => {
    expect(recordsOf(decodePubsub(push(undefined, { data: 'a b' }), NOBODY))[0]?.value).toEqual({
      message: 'a b',
      flags: ['not_base64'],
    })
  })

  it('names the pieces of a long message', () => {
    const text = 'x"'.repeat(800_000)
    const decoded = decodePubsub(push(text), NOBODY)
    const pieces = recordsOf(decoded)
    expect(pieces.map(({ value }) => value.message).join('')).toBe(text)
    expect(decoded.ids).toEqual(pieces.map((_, index) => `2070443601311540#${index}`))
  })

  it.each(['{"a":1}', '[{"a":1}]'])('keeps what is no push: %s', (body) => {
    expect(recordsOf(decodePubsub(Buffer.from(body), SHOP))).toMatchObject([
      { key: 'shop', text: '{"a":1}' },
    ])
  })

  it('takes any bytes', () => {
    const body = push('{"n":1}', { attributes: { a: 'b' }, orderingKey: 'k' })
    fc.assert(
      fc.property(mutated(fc.constant(body)), (bytes) => {
        recordsOf(decodePubsub(bytes, NOBODY))
      }),
      { seed: 7070, numRuns: 500 },
    )
  })
})
