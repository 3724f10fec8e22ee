import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseTimestamp } from '../../src/records/timestamp.ts'

const NEW_YEAR = Date.UTC(2024, 0, 1)

describe('parseTimestamp reads RFC 3339', () => {
  it.each([
    ['1970-01-01T00:00:00Z', 0],
    ['2024-01-01T00:00:00Z', NEW_YEAR],
    ['2024-01-01t00:00:00z', NEW_YEAR],
    ['2024-01-01 00:00:00Z', NEW_YEAR],
    ['2024-01-01T00:00:00.0Z', NEW_YEAR],
    ['2024-01-01T00:00:00.5Z', NEW_YEAR + 500],
    ['2024-01-01T00:00:00.123Z', NEW_YEAR + 123],
    ['2024-01-01T00:00:00.123999999999Z', NEW_YEAR + 123],
    ['2024-01-01T00:00:00.0009Z', NEW_YEAR],
    ['2024-01-01T01:30:00+01:30', NEW_YEAR],
    ['2023-12-31T18:15:00-05:45', NEW_YEAR],
    ['2024-01-01T00:00:00-00:00', NEW_YEAR],
    ['2024-01-01T23:59:00+23:59', NEW_YEAR],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['2000-02-29T12:00:00Z', Date.UTC(2000, 1, 29, 12)],
    ['9999-12-31T23:59:59.999Z', Date.UTC(9999, 11, 31, 23, 59, 59, 999)],
  ])('%s', (text, expected) => {
    expect(parseTimestamp(text)).toBe(expected)
    expect(parseTimestamp(text, false)).toBe(expected)
    expect(parseTimestamp(text, true)).toBeUndefined()
  })

  it.each([
    ...[
      '',
      ' ',
      'now',
      'earliest',
      '2024-01',
      '2024-01-01',
      '2024-01-01T00:00Z',
      '20240101T000000Z',
    ],
    ...['2024-01-01T00:00:00', '2024-01-01T00:00:00.Z', '2024-01-01T00:00:00.1234567890123Z'],
    ...[
      '2024-01-01T00:00:00+0100',
      '2024-01-01T00:00:00+01',
      '2024-01-01T00:00:00 Z',
      ' 2024-01-01T00:00:00Z',
    ],
    ...[
      '2024-01-01T00:00:00Z\n',
      '2024-01-01T00:00:00,5Z',
      '2024-1-1T00:00:00Z',
      '24-01-01T00:00:00Z',
    ],
    ...[
      '2023-02-29T00:00:00Z',
      '1900-02-29T00:00:00Z',
      '2024-02-30T00:00:00Z',
      '2024-04-31T00:00:00Z',
    ],
    ...[
      '2024-00-01T00:00:00Z',
      '2024-13-01T00:00:00Z',
      '2024-01-00T00:00:00Z',
      '2024-01-32T00:00:00Z',
    ],
    ...[
      '2024-01-01T24:00:00Z',
      '2024-01-01T25:00:00Z',
      '2024-01-01T00:60:00Z',
      '2024-01-01T23:59:60Z',
    ],
    ...['2024-01-01T00:00:00+24:00', '2024-01-01T00:00:00+00:60', '2024-01-01T00:00:00+99:99'],
    ...[
      '1969-12-31T23:59:59.999Z',
      '1970-01-01T00:00:00+00:01',
      '0000-01-01T00:00:00Z',
      '-2024-01-01T00:00:00Z',
    ],
    ...[
      '+012024-01-01T00:00:00Z',
      '2024-01-01T00:00:00−01:00',
      'Mon, 01 Jan 2024 00:00:00 GMT',
      '２０２４-01-01T00:00:00Z',
    ],
  ])('and not %j', (text) => {
    expect(parseTimestamp(text)).toBeUndefined()
    expect(parseTimestamp(text, false)).toBeUndefined()
  })

  it('whatever the fraction and the offset', () => {
    const instant = fc.integer({ min: 24 * 60 * 60 * 1000, max: Date.UTC(9999, 11, 30) })
    const minutes = fc.integer({ min: -(24 * 60 - 1), max: 24 * 60 - 1 })
    fc.assert(
      fc.property(instant, minutes, fc.stringMatching(/^\d{0,9}$/), (ms, offset, more) => {
        const sign = offset < 0 ? '-' : '+'
        const two = (part: number) => String(Math.trunc(part)).padStart(2, '0')
        const zone = `${sign}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`
        const local = new Date(ms + offset * 60_000).toISOString().slice(0, -1)
        expect(parseTimestamp(`${local}${more}${zone}`)).toBe(ms)
      }),
      { seed: 7070, numRuns: 1000 },
    )
  })
})

describe('parseTimestamp reads epoch milliseconds', () => {
  it.each([
    ['0', 0],
    ['1', 1],
    ['1704067200000', NEW_YEAR],
    ['8640000000000000', 8_640_000_000_000_000],
  ])('%s', (text, expected) => {
    expect(parseTimestamp(text)).toBe(expected)
    expect(parseTimestamp(text, true)).toBe(expected)
    expect(parseTimestamp(text, false)).toBeUndefined()
  })

  it.each([
    '8640000000000001',
    '99999999999999999',
    '-1',
    '1.5',
    '1.0',
    '1e3',
    '+1',
    ' 1',
    '1 ',
    '0x10',
    '1n',
    '١',
  ])('and not %j', (text) => {
    for (const numberOnly of [undefined, true, false]) {
      expect(parseTimestamp(text, numberOnly)).toBeUndefined()
    }
  })
})
