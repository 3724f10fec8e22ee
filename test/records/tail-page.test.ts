import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Page, StoredBatch } from '../../src/records/page.ts'
import { hasKey, writeTailPage, type TailStyle } from '../../src/records/tail-page.ts'

const STYLE: TailStyle = { before: '<', after: (next) => `|${String(next)}>` }
const NO_BOUNDS = { max_records: 1000, max_bytes: 1_000_000 }

function batch(base_offset: number, appended_ms: number, ...lines: string[]): StoredBatch {
  const payload = lines.map((line) => `${line}\n`).join('')
  const byte_length = Buffer.byteLength(payload)
  return { base_offset, next_offset: base_offset + lines.length, appended_ms, byte_length, payload }
}

const page = (text: string, record_count: number, next_offset: number): Page => ({
  text,
  record_count,
  byte_length: Buffer.byteLength(text),
  next_offset,
})

describe('writeTailPage', () => {
  const log = [
    batch(5, 1000, '{"value":0}', '{"timestamp":7,"key":"é","value":1}'),
    batch(7, 2000, '{"key":"k","value":2}', '{"value":3}'),
  ]

  it('writes each record in the style, with offset and timestamp', () => {
    expect(writeTailPage(log, 5, NO_BOUNDS, STYLE)).toEqual(
      page(
        '<5,"timestamp":1000,"value":0}|6>' +
          '<6,"timestamp":7,"key":"é","value":1}|7>' +
          '<7,"timestamp":2000,"key":"k","value":2}|8>' +
          '<8,"timestamp":2000,"value":3}|9>',
        4,
        9,
      ),
    )
  })

  it('begins inside a batch', () => {
    expect(writeTailPage(log, 6, NO_BOUNDS, STYLE)).toMatchObject({
      record_count: 3,
      next_offset: 9,
    })
  })

  it.each([1, 2, 3, 4, 5])('ends after %i records', (max_records) => {
    const count = Math.min(max_records, 4)
    const bounds = { ...NO_BOUNDS, max_records }
    expect(writeTailPage(log, 5, bounds, STYLE)).toMatchObject({
      record_count: count,
      next_offset: 5 + count,
    })
  })

  it.each([0, 1, 5, 6, 7, 8, 9, 99])('ends where the tail does: %i', (end) => {
    const count = Math.max(0, Math.min(end, 9) - 5)
    expect(writeTailPage(log, 5, { ...NO_BOUNDS, end }, STYLE)).toMatchObject({
      record_count: count,
      next_offset: 5 + count,
    })
  })

  it('holds one record, however large, and no more than fits beside it', () => {
    for (const max_bytes of [1, 33, 60]) {
      expect(writeTailPage(log, 5, { ...NO_BOUNDS, max_bytes }, STYLE)).toMatchObject({
        record_count: 1,
        next_offset: 6,
      })
    }
  })

  it('reads over what is not wanted, to the end', () => {
    const wants = (line: string) => line.includes('"k"')
    expect(writeTailPage(log, 5, { ...NO_BOUNDS, wants }, STYLE)).toEqual(
      page('<7,"timestamp":2000,"key":"k","value":2}|8>', 1, 9),
    )
    expect(writeTailPage(log, 5, { ...NO_BOUNDS, wants: () => false }, STYLE)).toEqual(
      page('', 0, 9),
    )
  })

  it('reads no further than what it may send', () => {
    const bounds = { ...NO_BOUNDS, max_records: 1, wants: hasKey('é') }
    expect(writeTailPage(log, 5, bounds, STYLE)).toMatchObject({ record_count: 1, next_offset: 7 })
  })

  it('makes spaces of carriage returns between tokens where asked to, and of nothing else', () => {
    const odd = [batch(0, 1, '{"value":[1,\r2]\r}', '{"value":"\\r \u2028 \u2029 \u0085"}')]
    expect(writeTailPage(odd, 0, NO_BOUNDS, STYLE).text).toContain('[1,\r2]\r}')
    const style = { ...STYLE, without_returns: true }
    expect(writeTailPage(odd, 0, NO_BOUNDS, style).text).toBe(
      '<0,"timestamp":1,"value":[1, 2] }|1><1,"timestamp":1,"value":"\\r \u2028 \u2029 \u0085"}|2>',
    )
  })

  it('of no batches is empty', () => {
    expect(writeTailPage([], 7, NO_BOUNDS, STYLE)).toEqual(page('', 0, 7))
  })
})

const arbitraryLog = fc
  .array(
    fc.array(
      fc.record({
        timestamp: fc.option(fc.nat(100), { nil: undefined }),
        key: fc.option(fc.constantFrom('a', 'b', 'é'), { nil: undefined }),
        value: fc.string({ unit: 'grapheme', maxLength: 6 }),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((batches) => {
    let base = 3
    return batches.map((records, k) => {
      const made = batch(base, k, ...records.map((record) => JSON.stringify(record)))
      base = made.next_offset
      return made
    })
  })

it('gives every wanted record once, in pages of any bounds', () => {
  const bounds = fc.record({
    max_records: fc.integer({ min: 1, max: 7 }),
    max_bytes: fc.nat(300),
    end: fc.option(fc.nat(40), { nil: undefined }),
    wants: fc.option(fc.constantFrom('a', 'é', 'nobody').map(hasKey), { nil: undefined }),
  })
  fc.assert(
    fc.property(arbitraryLog, fc.nat(10), bounds, (log, skipped, one) => {
      const last = log.at(-1)!.next_offset
      const start = Math.min(3 + skipped, last)
      const end = Math.max(start, Math.min(one.end ?? last, last))
      const whole = writeTailPage(
        log.filter(({ next_offset }) => next_offset > start),
        start,
        { ...NO_BOUNDS, end, wants: one.wants },
        STYLE,
      )
      let [text, count, next] = ['', 0, start]
      while (next < end) {
        const rest = log.filter(({ next_offset }) => next_offset > next)
        const found = writeTailPage(rest, next, one, STYLE)
        expect(found.next_offset).toBeGreaterThan(next)
        expect(found.byte_length).toBe(Buffer.byteLength(found.text))
        expect(found.record_count).toBeLessThanOrEqual(one.max_records)
        if (found.record_count > 1) expect(found.byte_length).toBeLessThanOrEqual(one.max_bytes)
        text += found.text
        count += found.record_count
        next = found.next_offset
      }
      expect({ text, count, next }).toEqual({
        text: whole.text,
        count: whole.record_count,
        next: end,
      })
    }),
    { seed: 7070, numRuns: 2000 },
  )
})

describe('hasKey', () => {
  it.each([
    ['{"key":"k","value":1}', true],
    ['{ "value" : 1, "key"\t:\r"\\u006b" }', true],
    ['{"timestamp":1,"key":"k","value":"key"}', true],
    ['{"value":{"key":"k"}}', false],
    ['{"value":"\\"key\\":\\"k\\""}', false],
    ['{"headers":{"key":"k"},"value":1}', false],
    ['{"key":null,"value":"k"}', false],
    ['{"key":"K","value":1}', false],
    ['{"key_base64":"aw==","value":1}', false],
    ['{"value":[1e400,"\\u0000"]}', false],
  ])('%s', (line, expected) => {
    expect(hasKey('k')(line)).toBe(expected)
  })
})
