import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { base64Problem } from '../../src/records/base64.ts'

/** RFC 4648 section 4, with padding. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

function problem(text: string): string | undefined {
  const bytes = Buffer.from(text)
  return base64Problem(bytes, 0, bytes.length)
}

describe('base64Problem', () => {
  it('has nothing to say about what Buffer writes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const text = Buffer.from(bytes).toString('base64')
        expect(problem(text)).toBeUndefined()
        expect(problem(text.replaceAll('/', '\\/'))).toBeUndefined()
      }),
      { seed: 7070, numRuns: 500 },
    )
  })

  it('accepts exactly what RFC 4648 calls base64, and Buffer reads all of that', () => {
    const unit = fc.constantFrom(...'AQzZ09+/==\\-_ \n"é')
    const nearly = fc
      .tuple(fc.base64String({ maxLength: 12 }), fc.nat(12), unit)
      .map(([text, at, char]) => text.slice(0, at) + char + text.slice(at + 1))
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit, maxLength: 9 }), nearly), (text) => {
        const isBase64 = BASE64.test(text)
        if (text.includes('\\/')) return
        expect(problem(text) === undefined, text).toBe(isBase64)
        if (!isBase64) return
        const padding = text.length - text.replaceAll('=', '').length
        expect(Buffer.from(text, 'base64')).toHaveLength((text.length / 4) * 3 - padding)
      }),
      { seed: 7070, numRuns: 5000 },
    )
  })

  it.each(['', 'AA==', 'AAA=', 'AAAA', 'ab+/', 'AAAAAA==', '//8=', 'AB==', '\\/\\/8='])(
    'accepts %j',
    (text) => {
      expect(problem(text)).toBeUndefined()
    },
  )

  it.each([
    ...[
      'A',
      'AA',
      'AAA',
      'AAAAA',
      '=',
      '==',
      '===',
      '====',
      'A===',
      'A=',
      'A==',
      'AA=',
      'AAAA=',
      'AAAA==',
    ],
    ...['AAAAA===', 'AA=A', '=AAA', 'AA==AAAA', 'AA==AA==', '\\/', '\\/==='],
  ])('says of %j that its length is wrong, or a padding that is in the middle', (text) => {
    expect(problem(text)).toMatch(/^is not base64/)
  })

  it.each([
    '-_-_',
    'AAA ',
    ' AAA',
    'AA A',
    'AAA\n',
    'AA\\n',
    '\\u0041AAA',
    'AA\\\\',
    'ÄAAA',
    'AAA\0',
    '"AAA',
  ])('says of %j that it has a character base64 does not have', (text) => {
    expect(problem(text)).toBe('is not base64 (A-Z a-z 0-9 + /, padded with =)')
  })

  it('looks at the given range only', () => {
    const bytes = Buffer.from('=="AA=="!')
    expect(base64Problem(bytes, 3, 7)).toBeUndefined()
    expect(base64Problem(bytes, 3, 8)).toBeDefined()
    expect(base64Problem(bytes, 2, 7)).toBeDefined()
    expect(base64Problem(bytes, 7, 7)).toBeUndefined()
  })
})
