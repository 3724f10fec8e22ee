import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeVercel, isSignedBy } from '../../src/drains/vercel.ts'
import { mutated } from '../support/json-text.ts'
import { keysOf, NOBODY, recordsOf, SHOP } from './decoded-records.ts'

const LOGS = [
  '{"id":"1573817187330377061717300000","message":"done","timestamp":1795285800123,"source":"build","projectId":"prj_1","projectName":"shop-web","deploymentId":"dpl_1","level":"info"}',
  '{"id":"1573817250283254651097202070","timestamp":1795285801456,"source":"lambda","projectId":"prj_1","projectName":"shop-web","deploymentId":"dpl_1","proxy":{"method":"GET","host":"shop.example.com","path":"/cart?x=1","statusCode":-1,"timestamp":1795285801000,"clientIp":"203.0.113.7"},"statusCode":500}',
]

describe('decodeVercel', () => {
  it.each([`[${LOGS.join(',')}]`, LOGS.join('\n'), `${LOGS.join('\n')}\n`])(
    'keeps each log as it was sent, under its id',
    (body) => {
      const decoded = decodeVercel(Buffer.from(body), NOBODY)
      expect(recordsOf(decoded).map((record) => record.text)).toEqual(LOGS)
      expect(keysOf(decoded)).toEqual(['shop-web/build', 'shop-web/lambda'])
      expect(decoded.ids).toEqual(['1573817187330377061717300000', '1573817250283254651097202070'])
      expect(decoded.seen).toMatchObject({ lines: 2, flagged: 0, newest_ms: 1795285801456 })
    },
  )

  it('reads a single object, and takes the label of the drain', () => {
    const decoded = decodeVercel(Buffer.from(LOGS[0]!), SHOP)
    expect(keysOf(decoded)).toEqual(['shop/build'])
    expect(decoded.ids).toHaveLength(1)
  })

  it('has no ids where one is missing', () => {
    expect(decodeVercel(Buffer.from(`${LOGS[0]!}\n{"a":1}\n`), SHOP).ids).toBeUndefined()
    expect(decodeVercel(Buffer.from(`${LOGS[0]!}\nnoise\n`), SHOP).ids).toBeUndefined()
    expect(decodeVercel(Buffer.from(''), SHOP)).toMatchObject({ records: [] })
  })

  it('names the pieces of a long log after it', () => {
    const long = `{"id":"7","message":"${'x'.repeat(1_200_000)}"}`
    const decoded = decodeVercel(Buffer.from(long), SHOP)
    expect(
      recordsOf(decoded)
        .map(({ value }) => value.json)
        .join(''),
    ).toBe(long)
    expect(decoded.ids).toEqual(['7#0', '7#1'])
  })

  it('takes any bytes', () => {
    fc.assert(
      fc.property(mutated(fc.constantFrom(...LOGS).map((log) => Buffer.from(log))), (body) => {
        recordsOf(decodeVercel(body, NOBODY))
      }),
      { seed: 7070, numRuns: 1000 },
    )
  })
})

describe('isSignedBy', () => {
  const body = Buffer.from(LOGS.join('\n'))
  const signature = createHmac('sha1', 'secret').update(body).digest('hex')

  it('accepts the signature of the very bytes', () => {
    expect(isSignedBy(body, signature, 'secret')).toBe(true)
    expect(isSignedBy(body, signature.toUpperCase(), 'secret')).toBe(true)
  })

  it.each([
    ['another secret', signature, 'other', body],
    ['another body', signature, 'secret', Buffer.from('x')],
    ['a cut signature', signature.slice(2), 'secret', body],
    ['no signature', '', 'secret', body],
    ['no hexadecimal digits', 'z'.repeat(40), 'secret', body],
  ])('refuses %s', (_, sent, secret, bytes) => {
    expect(isSignedBy(bytes, sent, secret)).toBe(false)
  })
})
