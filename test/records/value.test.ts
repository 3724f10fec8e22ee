import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rawValue } from '../../src/records/value.ts'
import { jsonText } from '../support/json-text.ts'

function value(line: string): string | Buffer {
  const raw = rawValue(Buffer.from(line))
  return typeof raw === 'string' ? raw : raw.bytes
}

describe('rawValue', () => {
  it.each([
    ['{"value":"hello"}', 'hello'],
    ['{"value":""}', ''],
    ['{"value":"a\\u0000\\n\\"\\u00e9é\\ud83d\\ude00"}', 'a\0\n"éé😀'],
    ['{"value":12345678901234567890}', '12345678901234567890'],
    ['{"value":1e400}', '1e400'],
    ['{"value":-0}', '-0'],
    ['{"value":true}', 'true'],
    ['{"value":{"b":1, "a":[ ]}}', '{"b":1, "a":[ ]}'],
    ['{"value":{"a":"\\ud800"}}', '{"a":"\\ud800"}'],
    ['{"timestamp":1,"key":"k","value" : "v" ,"headers":{"value":"h"}}', 'v'],
    ['{"headers":{"value":"h","value_base64":"AAAA"},"value":"v"}', 'v'],
    ['{"value":{"value":"inner"},"key":"value"}', '{"value":"inner"}'],
    ['{"key":"\\"value\\":1","value":2}', '2'],
  ])('of %s is %j', (line, expected) => {
    expect(value(line).toString()).toBe(expected)
  })

  it('is the bytes that value_base64 stands for', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const line = `{"key":"k","value_base64":"${Buffer.from(bytes).toString('base64')}"}`
        expect(value(line)).toEqual(Buffer.from(bytes))
      }),
      { seed: 7070, numRuns: 200 },
    )
  })

  it.each(['{"value":null}', '{"value": null }', '{"key":"k","value":null}'])(
    'of %s is null',
    (line) => {
      expect(value(line)).toBe('null')
    },
  )

  it('of the string "null" is that word', () => {
    expect(value('{"value":"null"}')).toEqual(Buffer.from('null'))
  })

  it.each(['"\\ud800"', '"a\\udc00b"', '"\\ude00\\ud83d"'])('of %s has no UTF-8 form', (text) => {
    expect(value(`{"value":${text}}`)).toBe('no_utf8_form')
  })

  it('is the text of any JSON but a string', () => {
    fc.assert(
      fc.property(jsonText(), (text) => {
        const trimmed = text.trim()
        if (trimmed.startsWith('"') || trimmed === 'null') return
        expect(value(`{"key":"k","value":${text},"headers":{}}`).toString()).toBe(trimmed)
      }),
      { seed: 7070, numRuns: 500 },
    )
  })
})
