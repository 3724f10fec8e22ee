import { describe, expect, it } from 'vitest'
import { readGap } from '../../src/drains/gaps.ts'
import { decode, framed, keysOf, line, rebuilt, valuesOf } from './bodies.ts'

const SINCE = '2026-11-21T18:21:01.123456+00:00'
const L12 = line(`Error L12: 3 messages dropped since ${SINCE}`, 'token log-shuttle', 172)
const L13 = line(`Error L13: 4 messages lost since ${SINCE}`, 'token log-shuttle', 172)

describe('readGap', () => {
  it.each([
    [`Error L10 (output buffer overflow): 302626 messages dropped since ${SINCE}.`, 'L10', 302626],
    [
      `Error L10 (output buffer overflow): drain 'd.0123' dropped 1 messages since ${SINCE}.`,
      'L10',
      1,
    ],
    [
      `Error L11 (tail buffer overflow): drain 'd.0123' dropped 12 messages since ${SINCE}`,
      'L11',
      12,
    ],
    [`Error L12: 3 messages dropped since ${SINCE}`, 'L12', 3],
    [`Error L13: 4 messages lost since ${SINCE}`, 'L13', 4],
    [
      `Error L15 (tail buffer temporarily unavailable): 5 messages dropped since ${SINCE}. `,
      'L15',
      5,
    ],
  ])('of %s', (text, code, dropped) => {
    expect(readGap(text)).toEqual({ code, dropped, since: SINCE })
  })

  it.each([
    'Error L14 (certificate validation): error="unable to get local issuer certificate"',
    `Error L20: 5 messages dropped since ${SINCE}`,
    `Error L10: ${'9'.repeat(16)} messages dropped since ${SINCE}`,
    `Error L10 ${'x'.repeat(500)} 5 messages dropped since ${SINCE}`,
    `we had Error L10: 5 messages dropped since ${SINCE}`,
    '',
  ])('of %s is none', (text) => {
    expect(readGap(text)).toBeUndefined()
  })
})

describe('gaps', () => {
  it('of lines are fields, and counted', () => {
    const { seen } = decode(framed(L12, L13))
    expect(seen.dropped).toBe(7)
    const [value] = valuesOf(decode(framed(L12)))
    expect([value!.kind, value!.fields]).toEqual(['gap', { code: 'L12', dropped: 3, since: SINCE }])
  })

  it('are told by Logplex, not by apps', () => {
    const text = `Error L10 (output buffer overflow): 5 messages dropped since ${SINCE}.`
    const decoded = decode(framed(line(text)))
    expect([valuesOf(decoded)[0]!.kind, decoded.seen.dropped]).toEqual([undefined, 0])
  })

  it('of a certificate are an error', () => {
    const [value] = valuesOf(
      decode(framed(line('Error L14 (certificate validation): error="x"', 'heroku logplex'))),
    )
    expect([value!.kind, value!.fields]).toEqual([
      'error',
      { code: 'L14', desc: 'certificate validation', detail: 'error="x"' },
    ])
  })

  it('of headers have records of their own, which have no bytes', () => {
    const body = framed(line('x'))
    const decoded = decode(body, { dropped: 3, lost: 4 }, { source: 'd.token' })
    const values = valuesOf(decoded)
    expect(values.slice(1)).toEqual([
      {
        ...{ timestamp: null, app: '', process: '', message: 'Logplex-Drop-Count: 3', kind: 'gap' },
        ...{ fields: { code: 'drop_count', dropped: 3, since: null }, raw: '', frame_prefix: '' },
      },
      {
        ...{ timestamp: null, app: '', process: '', message: 'Logplex-Lost-Count: 4', kind: 'gap' },
        ...{ fields: { code: 'lost_count', dropped: 4, since: null }, raw: '', frame_prefix: '' },
      },
    ])
    expect(keysOf(decoded)).toEqual(['d.token/web.1', 'd.token', 'd.token'])
    expect(rebuilt(values).equals(body)).toBe(true)
    expect([decoded.seen.lines, decoded.seen.dropped]).toEqual([1, 7])
  })

  it('that headers and lines tell of are told once', () => {
    const both = decode(framed(L12, L13), { dropped: 3, lost: 4 })
    expect([both.records.length, both.seen.dropped]).toEqual([2, 7])
    const more = decode(framed(L12), { dropped: 5, lost: 4 })
    expect(valuesOf(more).map(({ fields }) => fields!['dropped'])).toEqual([3, 2, 4])
    expect(more.seen.dropped).toBe(9)
  })

  it.each([0, undefined, -1, NaN])('of a header that says %s are none', (dropped) => {
    expect(decode(framed(line('x')), { dropped }).records).toHaveLength(1)
  })
})
