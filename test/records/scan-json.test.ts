import { isUtf8 } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../src/contract/limits.ts'
import {
  eachElement,
  eachMember,
  JsonSyntaxError,
  met,
  skipSpace,
  skipValue,
} from '../../src/records/scan-json.ts'
import { jsonText, mutated } from '../support/json-text.ts'

/** Does the scanner take all of these bytes for one JSON text? */
function scans(bytes: Buffer, skip: (bytes: Buffer, at: number) => number = skipValue): boolean {
  try {
    return skipSpace(bytes, skip(bytes, skipSpace(bytes, 0))) === bytes.length
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error
    expect(error.position).toBeGreaterThanOrEqual(0)
    expect(error.position).toBeLessThanOrEqual(bytes.length)
    return false
  }
}

function parses(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString())
    return true
  } catch {
    return false
  }
}

const asBytes = (text: string) => Buffer.from(text)

describe('skipValue accepts what JSON.parse accepts', () => {
  it('in JSON texts of every kind', () => {
    fc.assert(
      fc.property(jsonText({ newlines: true }), (text) => {
        expect(parses(asBytes(text))).toBe(true)
        expect(scans(asBytes(text))).toBe(true)
      }),
      { seed: 7070, numRuns: 2000 },
    )
  })

  it('in JSON texts with a few bytes wrong', () => {
    let refused = 0
    fc.assert(
      fc.property(mutated(jsonText({ newlines: true }).map(asBytes)), (bytes) => {
        // What is not UTF-8 is refused before the scanner sees it.
        if (!isUtf8(bytes)) return
        const expected = parses(bytes)
        if (!expected) refused++
        expect(scans(bytes), bytes.toString()).toBe(expected)
      }),
      { seed: 7070, numRuns: 5000 },
    )
    expect(refused).toBeGreaterThan(1000)
  })

  it('in texts made of the characters that JSON is made of', () => {
    const unit = fc.constantFrom(...'{}[]",:\\0129-.eE+tfnu \ntruefalsenull\u0000\u00a0\u2028é')
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 12 }), (text) => {
        expect(scans(asBytes(text)), text).toBe(parses(asBytes(text)))
      }),
      { seed: 7070, numRuns: 20_000 },
    )
  })

  it.each([
    ...[
      '',
      ' ',
      '\n',
      '{',
      '[',
      '"',
      '{}',
      '[]',
      '{ }',
      '[ ]',
      '{}}',
      '[]]',
      '{]',
      '[}',
      '[,]',
      '{,}',
    ],
    ...['1,', '[1,]', '[,1]', '[1,,2]', '[1 2]', '{"a":1,}', '{"a"}', '{"a":}', '{"a" 1}', '{a:1}'],
    ...['{"a":1 "b":2}', '{"a":1,,"b":2}', '{1:2}', '{null:1}', "{'a':1}", '{"a":1', '[1', '{"a":'],
    ...['0', '-0', '00', '01', '-01', '+1', '-', '--1', '.5', '5.', '5.e1', '-.5', '1.2.3', '0x10'],
    ...[
      '1e5',
      '1E+5',
      '1e-5',
      '1e',
      '1e+',
      '1e5.5',
      '1e400',
      '-1e400',
      '0e0',
      '1_000',
      '1e1e1',
      '0b1',
    ],
    ...[
      '12345678901234567890123456789',
      `0.${'1'.repeat(400)}`,
      'NaN',
      'Infinity',
      '-Infinity',
      'undefined',
    ],
    ...['true', 'false', 'null', 'tru', 'truee', 'True', 'nul', 'nulll', 'fals', 't', 'true false'],
    ...[
      '""',
      '"',
      '"a',
      'a"',
      '"a"b',
      '"\\"',
      '"\\\\"',
      '"\\/"',
      '"\\x41"',
      '"\\u12"',
      '"\\u12G4"',
      '"\\u"',
    ],
    ...[
      '"\\u0000"',
      '"\\ud800"',
      '"\\udc00\\ud800"',
      '"\\U0041"',
      '"\\\n"',
      '"\\',
      '"\\u00',
      '"\\8"',
    ],
    ...[
      '"\t"',
      '"\n"',
      '"\r"',
      '"\0"',
      '"\u001f"',
      '"\u007f"',
      '"\u2028"',
      '"\u2029"',
      '"\ufeff"',
      '"😀"',
    ],
    ...[
      '\ufeff1',
      '1\ufeff',
      '\u00a01',
      '1\u00a0',
      '\u20281',
      '\v1',
      '\f1',
      '\t\r\n 1 \t\r\n',
      '\0',
      '1\0',
    ],
    ...[
      '// x\n1',
      '/* x */1',
      '1//',
      '[1]#',
      '{"a":1}{"b":2}',
      '[1][2]',
      '1 1',
      '"a""b"',
      'null,null',
    ],
    ...[
      '{"a":1,"a":2}',
      '{"__proto__":1}',
      '{"":""}',
      '{"a":{"a":{"a":[]}}}',
      '[[[[[]]]]]',
      '[[[[[]]]]',
    ],
  ])('in %j', (text) => {
    expect(scans(asBytes(text))).toBe(parses(asBytes(text)))
  })
})

describe('skipValue', () => {
  it('returns the index after the value, whatever stands around it', () => {
    const before = fc.constantFrom('', ' ', '{"a":', '[1,', '\u00e9é')
    const after = fc.constantFrom('', ' ', ',', ']', '}', ',"b":2}', '\n', ' nonsense')
    fc.assert(
      fc.property(before, jsonText({ newlines: true }), after, (prefix, text, suffix) => {
        const bytes = asBytes(prefix + text + suffix)
        const start = Buffer.byteLength(prefix)
        expect(skipValue(bytes, start)).toBe(start + Buffer.byteLength(text))
      }),
      { seed: 7070, numRuns: 2000 },
    )
  })

  it('notes whether it met a newline between tokens, and an escape', () => {
    fc.assert(
      fc.property(jsonText({ newlines: true }), (text) => {
        met.newline = false
        met.escape = false
        skipValue(asBytes(text), 0)
        expect(met).toEqual({ newline: text.includes('\n'), escape: text.includes('\\') })
      }),
      { seed: 7070, numRuns: 1000 },
    )
  })

  it.each([
    ['arrays', '[', ']'],
    ['objects', '{"a":', '}'],
    ['both in turn', '[{"a":', '}]'],
  ])('bounds the depth of nested %s', (_, opening, closing) => {
    const levels = LIMITS.json_depth / (opening.startsWith('[{') ? 2 : 1)
    const nested = (count: number) => asBytes(opening.repeat(count) + '1' + closing.repeat(count))
    expect(scans(nested(levels))).toBe(true)
    expect(() => skipValue(nested(levels + 1), 0)).toThrow(/nesting deeper than 512 levels/)
    expect(() => skipValue(asBytes('['.repeat(100_000)), 0)).toThrow(JsonSyntaxError)
  })

  it('forgets the depth of a text that it refused', () => {
    const deep = `${'['.repeat(LIMITS.json_depth)}x`
    for (let time = 0; time < 3; time++) expect(scans(asBytes(deep))).toBe(false)
    expect(scans(asBytes('[[]]'))).toBe(true)
  })

  it.each([
    ['{"a":1,"b":tru}', 11, /a JSON value/],
    ['{"a" 1}', 5, /":"/],
    ['[1 2]', 3, /"," or "]"/],
    ['{"a":1 "b"}', 7, /"," or "}"/],
    ['"a\u0001"', 2, /control character/],
    ['"\\x"', 2, /escape/],
    ['[1', 2, /the text ends/],
    ['-x', 1, /a digit/],
  ])('says where and why %j is not JSON', (text, position, message) => {
    expect(() => skipValue(asBytes(text), 0)).toThrow(message)
    try {
      skipValue(asBytes(text), 0)
    } catch (error) {
      expect((error as JsonSyntaxError).position).toBe(position)
    }
  })
})

describe('eachMember and eachElement', () => {
  it('visit the members of an object in order, duplicates included', () => {
    const text = ' {"a": 1 , "b":[2,{"c":3}],"a" :"}" , "é":null} '
    const bytes = asBytes(text)
    const seen: [string, string][] = []
    const end = eachMember(bytes, 1, (nameStart, nameEnd, valueStart) => {
      const valueEnd = skipValue(bytes, valueStart)
      seen.push([
        bytes.toString('utf8', nameStart, nameEnd),
        bytes.toString('utf8', valueStart, valueEnd),
      ])
      return valueEnd
    })
    expect(seen).toEqual([
      ['"a"', '1'],
      ['"b"', '[2,{"c":3}]'],
      ['"a"', '"}"'],
      ['"é"', 'null'],
    ])
    expect(end).toBe(bytes.length - 1)
  })

  it('visit the elements of an array in order', () => {
    const bytes = asBytes('[ 1,"]" ,[2, 3],{} ]x')
    const seen: string[] = []
    const end = eachElement(bytes, 0, (at) => {
      const valueEnd = skipValue(bytes, at)
      seen.push(bytes.toString('utf8', at, valueEnd))
      return valueEnd
    })
    expect(seen).toEqual(['1', '"]"', '[2, 3]', '{}'])
    expect(end).toBe(bytes.length - 1)
  })

  it('refuse what JSON.parse refuses', () => {
    const container = fc.array(jsonText(), { maxLength: 3 })
    const texts = fc.oneof(
      container.map((items) => `[${items.join(',')}]`),
      container.map((items) => `{${items.map((item) => `"é\\n":${item}`).join(',')}}`),
    )
    const skip = (bytes: Buffer, at: number) =>
      bytes[at] === 0x7b
        ? eachMember(bytes, at, (_start, _end, value) => skipValue(bytes, value))
        : eachElement(bytes, at, (value) => skipValue(bytes, value))
    fc.assert(
      fc.property(fc.oneof(texts.map(asBytes), mutated(texts.map(asBytes))), (bytes) => {
        const first = bytes[skipSpace(bytes, 0)]
        if (!isUtf8(bytes) || (first !== 0x7b && first !== 0x5b)) return
        expect(scans(bytes, skip), bytes.toString()).toBe(parses(bytes))
      }),
      { seed: 7070, numRuns: 3000 },
    )
  })
})
