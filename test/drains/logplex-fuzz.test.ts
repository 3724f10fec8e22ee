import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RecordTable } from '../../src/records/record-table.ts'
import { parseRecordLines } from '../../src/records/parse-body.ts'
import { decodeSyslogText } from '../../src/drains/logplex.ts'
import { decode, frame, framed, line, rebuilt, TIME, valuesOf } from './bodies.ts'

/** What bodies are made of, so that random ones come near to real ones. */
const piece = fc.oneof(
  fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
  fc
    .constantFrom(
      ...[line('x'), line('µ', 'heroku router'), line('a=1 b="c"'), line('{"a":[1]}'), line('')],
      ...[line('x').slice(0, -1), '<190>1 ', `<45>1 ${TIME} host app - `, TIME, ' - ', '- ', '\n'],
      ...[
        '0 ',
        '5 ',
        '57 ',
        '61 ',
        '60 ',
        '70 ',
        '1000000 ',
        ' ',
        '\r\n',
        '<',
        '>1 ',
        '[a b="c"] ',
      ],
      ...[
        'Error L10: 5 messages dropped since x',
        'heroku logplex',
        '€',
        '\0',
        '"',
        '\\',
        '1',
        '9',
      ],
    )
    .map((text) => Buffer.from(text)),
  fc.nat(80).map((count) => Buffer.from(`${count} `)),
  fc.constantFrom('x', '5 at 12:00', 'é').map((text) => frame(line(text))),
)
const body = fc.array(piece, { maxLength: 14 }).map((pieces) => Buffer.concat(pieces))

describe('decodeLogplex', () => {
  it('loses no byte of any body', () => {
    fc.assert(
      fc.property(body, fc.boolean(), (bytes, is_logplex) => {
        const values = valuesOf(decode(bytes, { is_logplex }))
        expect(rebuilt(values)).toEqual(bytes)
      }),
      { seed: 7070, numRuns: 2_500 },
    )
  })

  it('gives records that can be stored', () => {
    fc.assert(
      fc.property(body, (bytes) => {
        const { records, seen } = decode(bytes, { dropped: 1 })
        const text = records.join('\n')
        expect(text.isWellFormed()).toBe(true)
        const { table } = parseRecordLines(Buffer.from(text))
        expect(table).toBeInstanceOf(RecordTable)
        expect([table.count, seen.lines]).toEqual([records.length, records.length - 1])
      }),
      { seed: 7070, numRuns: 800 },
    )
  })

  it('gives well-formed bodies back frame by frame', () => {
    const message = fc.oneof(
      piece,
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      body,
    )
    // White space in front of a count is the end of what was before.
    const messages = fc.array(message, { minLength: 1, maxLength: 10 })
    fc.assert(
      fc.property(messages, (all) => {
        const values = valuesOf(decode(framed(...all)))
        expect(values.map((value) => rebuilt([{ ...value, frame_prefix: '' }]))).toEqual(all)
        for (const value of values) {
          expect(value.frame_prefix).toBeUndefined()
          expect(value.flags ?? []).not.toContain('bad_count')
        }
      }),
      { seed: 7070, numRuns: 1_000 },
    )
  })

  it('gives the lines of well-formed bodies with their texts', () => {
    const text = fc.string({ unit: 'binary', maxLength: 60 }).map((chars) => chars.toWellFormed())
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 20 }), (texts) => {
        const values = valuesOf(decode(framed(...texts.map((each) => line(each)))))
        expect(values.map(({ message }) => message)).toEqual(
          texts.map((each) => each.replace(/\r$/, '')),
        )
      }),
      { seed: 7070, numRuns: 800 },
    )
  })

  it('finds every line whose count is wrong among others', () => {
    // One that leads to the end of another frame would hide it.
    const count = fc.oneof(fc.integer({ min: -40, max: 50 }), fc.constantFrom(0, 1, 2, 123_456))
    fc.assert(
      fc.property(fc.array(count, { minLength: 1, maxLength: 10 }), (counts) => {
        const texts = counts.map((by, index) => `line ${index} by ${by}`)
        const frames = texts.map((each, index) => {
          const message = line(each)
          return `${message.length + counts[index]!} ${message}`
        })
        const values = valuesOf(decode(frames.join('')))
        expect(values.map(({ message }) => message)).toEqual(texts)
        expect(String(rebuilt(values))).toBe(frames.join(''))
      }),
      { seed: 7070, numRuns: 800 },
    )
  })
})

describe('decodeSyslogText', () => {
  it('loses no byte of any body', () => {
    fc.assert(
      fc.property(body, (bytes) => {
        expect(rebuilt(valuesOf(decodeSyslogText(bytes, { source: 's' })))).toEqual(bytes)
      }),
      { seed: 7070, numRuns: 1_000 },
    )
  })
})
