import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { timeOf } from '../../src/drains/line-time.ts'
import { parseTimestamp } from '../../src/records/timestamp.ts'

const time = (text: string) => timeOf(`x ${text} y`, 2, 2 + text.length)

describe('timeOf', () => {
  it.each([
    ['2026-11-21T18:22:01.123456+00:00', Date.UTC(2026, 10, 21, 18, 22, 1, 123)],
    ['2022-01-26T20:25:08.61556+00:00', Date.UTC(2022, 0, 26, 20, 25, 8, 615)],
    ['2026-11-21T18:22:01Z', Date.UTC(2026, 10, 21, 18, 22, 1)],
    ['2026-11-21t18:22:01.5z', Date.UTC(2026, 10, 21, 18, 22, 1, 500)],
    ['2026-11-21T18:22:01.123456789012-02:30', Date.UTC(2026, 10, 21, 20, 52, 1, 123)],
    ['2024-02-29T00:00:00+14:00', Date.UTC(2024, 1, 28, 10, 0, 0)],
  ])('of %s', (text, ms) => {
    expect(time(text)).toBe(ms)
  })

  it.each([
    ...['-', '', 'yesterday', '2026-11-21', '2026-11-21T18:22:01', '2026-11-21T18:22:01Z+00:00'],
    ...['2026-02-30T18:22:01Z', '2026-13-01T18:22:01Z', '2026-00-01T18:22:01Z'],
    ...['2026-11-21T24:22:01Z', '2026-11-21T18:60:01Z', '2026-11-21T18:22:60Z'],
    ...['2026-11-21T18:22:01.Z', '2026-11-21T18:22:01.1234567890123Z', '0026-11-21T18:22:01Z'],
    ...['2026-11-21T18:22:01+0000', '2026-11-21T18:22:01+24:00', '2026-11-21T18:22:01+00:60'],
    ...['2026/11/21T18:22:01Z', '2026-11-21 18:22:01Z', '2O26-11-21T18:22:01Z', '1795285321'],
  ])('of %j is none', (text) => {
    expect(time(text)).toBeNaN()
  })

  it('agrees with the parser of requests', () => {
    const two = fc.integer({ min: 0, max: 61 }).map((number) => String(number).padStart(2, '0'))
    const fraction = fc.stringMatching(/^(?:\.\d{0,13})?$/)
    const zone = fc.oneof(
      fc.constantFrom('Z', 'z', ''),
      fc.tuple(two, two).map((t) => `+${t.join(':')}`),
    )
    const year = fc.integer({ min: 1970, max: 2100 })
    fc.assert(
      fc.property(
        fc.tuple(year, two, two, two, two, two, fraction, zone),
        ([y, month, day, hour, minute, second, f, z]) => {
          const text = `${y}-${month}-${day}T${hour}:${minute}:${second}${f}${z}`
          expect(time(text)).toBe(parseTimestamp(text) ?? NaN)
        },
      ),
      { seed: 7070, numRuns: 5_000 },
    )
  })
})
