import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { timeMs } from '../../src/drains/line-time.ts'
import { parseTimestamp } from '../../src/records/timestamp.ts'

describe('timeMs', () => {
  const ms = Date.parse('2026-11-21T18:30:00.123Z')

  it.each([
    '2026-11-21T18:30:00.123Z',
    '2026-11-21T18:30:00.123999999Z',
    '2026-11-21T19:30:00.123+01:00',
    '2026-11-21 18:30:00.123Z',
    '1795285800123',
    '1795285800.1239',
    '1795285800123456',
    '1795285800123456789',
    '1.7952858001239e9',
  ])('of %s', (text) => {
    expect(timeMs(text)).toBe(ms)
  })

  it.each([
    '',
    'now',
    '2026-02-30T00:00:00Z',
    '2026-11-21',
    '1e400',
    '1e21',
    '1.2.3',
    '21.11.2026',
  ])('of %j is nothing', (text) => {
    expect(timeMs(text)).toBeUndefined()
  })

  it('is that of a timestamp', () => {
    const time = fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true })
    fc.assert(
      fc.property(time, fc.stringMatching(/^(\.\d{1,9})?Z$/), (date, end) => {
        const text = date.toISOString().replace(/\.\d+Z$/, end)
        expect(timeMs(text)).toBe(parseTimestamp(text))
      }),
      { seed: 7070, numRuns: 500 },
    )
  })
})
