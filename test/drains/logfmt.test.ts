import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { quoteValue, readLogfmt } from '../../src/drains/logfmt.ts'

function read(text: string, has_escapes = true) {
  const { pairs, is_whole } = readLogfmt(text, { has_escapes })
  return { pairs: pairs.map(({ key, value }) => [key, value]), is_whole }
}

describe('readLogfmt', () => {
  it.each<[string, string[][]]>([
    [
      'a=1 b=two',
      [
        ['a', '1'],
        ['b', 'two'],
      ],
    ],
    [
      'a="x y" b=',
      [
        ['a', 'x y'],
        ['b', ''],
      ],
    ],
    [
      'a="" b=""',
      [
        ['a', ''],
        ['b', ''],
      ],
    ],
    [
      'a= b=c=d',
      [
        ['a', ''],
        ['b', 'c=d'],
      ],
    ],
    [
      '  a=1   b=2  ',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    [
      'a="x=\\"y\\" \\n" b=1',
      [
        ['a', 'x="y" \n'],
        ['b', '1'],
      ],
    ],
    [
      'a="\\\\" b=1',
      [
        ['a', '\\'],
        ['b', '1'],
      ],
    ],
    [
      'a="\\q" b=1',
      [
        ['a', '\\q'],
        ['b', '1'],
      ],
    ],
    [
      'a="\\ud800" b=1',
      [
        ['a', '\\ud800'],
        ['b', '1'],
      ],
    ],
    [
      'a=x"y b=1',
      [
        ['a', 'x"y'],
        ['b', '1'],
      ],
    ],
    [
      'a="open b=1',
      [
        ['a', '"open'],
        ['b', '1'],
      ],
    ],
    [
      'a=1 a=2 b=3',
      [
        ['a', '1'],
        ['b', '3'],
      ],
    ],
    [
      '__proto__=1 constructor=2',
      [
        ['__proto__', '1'],
        ['constructor', '2'],
      ],
    ],
    ['µ=µs', [['µ', 'µs']]],
  ])('of %j', (text, pairs) => {
    expect(read(text)).toEqual({ pairs, is_whole: true })
  })

  it.each<[string, string[][]]>([
    ['at all a=1', [['a', '1']]],
    ['a=1 b', [['a', '1']]],
    ['=1 a=1', [['a', '1']]],
    ['"a=1" b=1', [['b', '1']]],
    ['a\nb=1 c=2', [['c', '2']]],
    [`${'k'.repeat(129)}=1 c=2`, [['c', '2']]],
  ])('passes over what is no pair in %j', (text, pairs) => {
    expect(read(text)).toEqual({ pairs, is_whole: false })
  })

  it('takes a backslash for itself where there are no escapes', () => {
    expect(read('path="/a\\" status=200', false).pairs).toEqual([
      ['path', '/a\\'],
      ['status', '200'],
    ])
  })

  it('stops after 128 pairs', () => {
    const { pairs, is_whole } = read(Array.from({ length: 200 }, (_, n) => `k${n}=1`).join(' '))
    expect([pairs.length, is_whole]).toEqual([128, false])
  })

  it('reads any text, and its values have JSON text', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('a', 'b', '=', '"', '\\', ' ', '\n', 'é'),
          maxLength: 40,
        }),
        fc.boolean(),
        (text, has_escapes) => {
          for (const pair of readLogfmt(text, { has_escapes }).pairs) {
            expect(JSON.parse(quoteValue(pair))).toBe(pair.value)
            expect(pair.key).not.toBe('')
          }
        },
      ),
      { seed: 7070, numRuns: 3_000 },
    )
  })
})
