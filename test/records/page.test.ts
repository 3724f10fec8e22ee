import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  JSON_STYLE,
  NDJSON_STYLE,
  offsetAtTimestamp,
  recordLine,
  writePage,
  type RecordStyle,
  type StoredBatch,
} from '../../src/records/page.ts'

const NO_BOUNDS = { max_records: 10_000, max_bytes: 16 * 1024 * 1024 }

function batch(base_offset: number, appended_ms: number, ...lines: string[]): StoredBatch {
  const payload = lines.map((line) => `${line}\n`).join('')
  const byte_length = Buffer.byteLength(payload)
  return { base_offset, next_offset: base_offset + lines.length, appended_ms, byte_length, payload }
}

/** Batches that follow each other, of lines with and without a timestamp, ASCII and not. */
const arbitraryLog = fc
  .tuple(
    fc.nat(5000),
    fc.array(
      fc.array(
        fc.record({
          timestamp: fc.option(fc.nat(100), { nil: undefined }),
          key: fc.option(fc.constantFrom('timestamp', 't', 'é'), { nil: undefined }),
          value: fc.string({ unit: 'grapheme', maxLength: 6 }),
        }),
        { minLength: 1, maxLength: 5 },
      ),
      { maxLength: 5 },
    ),
  )
  .map(([first, batches]) => {
    let base = first
    return batches.map((records, index) => {
      const made = batch(base, index * 20, ...records.map((record) => JSON.stringify(record)))
      base = made.next_offset
      return made
    })
  })

/** Each record of the log as a page shows it. */
function shown(log: readonly StoredBatch[]): { offset: number; timestamp: number; text: string }[] {
  return log.flatMap(({ base_offset, appended_ms, payload }) =>
    payload
      .split('\n')
      .slice(0, -1)
      .map((line, index) => {
        const own = (JSON.parse(line) as { timestamp?: number }).timestamp
        const stamp = own === undefined ? `"timestamp":${String(appended_ms)},` : ''
        const offset = base_offset + index
        const text = `{"offset":${String(offset)},${stamp}${line.slice(1)}`
        return { offset, timestamp: own ?? appended_ms, text }
      }),
  )
}

describe('writePage', () => {
  it('splices offset and timestamp into the stored line and changes nothing else', () => {
    const log = [
      batch(
        41,
        1000,
        '{"value":12345678901234567890}',
        '{"timestamp":7,"key":"k","value":{ "b":1,"a":1e400}}',
      ),
      batch(43, 2000, '{"headers":{"timestamp":"x"},"value":"timestamp"}'),
    ]
    expect(writePage(log, 41, NO_BOUNDS, JSON_STYLE)).toEqual({
      text:
        '{"offset":41,"timestamp":1000,"value":12345678901234567890},' +
        '{"offset":42,"timestamp":7,"key":"k","value":{ "b":1,"a":1e400}},' +
        '{"offset":43,"timestamp":2000,"headers":{"timestamp":"x"},"value":"timestamp"}',
      record_count: 3,
      byte_length: 203,
      next_offset: 44,
    })
  })

  it('ends each record of NDJSON with a newline', () => {
    const page = writePage([batch(0, 5, '{"value":1}', '{"value":2}')], 0, NO_BOUNDS, NDJSON_STYLE)
    const text = '{"offset":0,"timestamp":5,"value":1}\n{"offset":1,"timestamp":5,"value":2}\n'
    expect(page).toEqual({ text, record_count: 2, byte_length: text.length, next_offset: 2 })
  })

  it('is empty where there are no batches', () => {
    const page = { text: '', record_count: 0, byte_length: 0, next_offset: 9 }
    expect(writePage([], 9, NO_BOUNDS, NDJSON_STYLE)).toEqual(page)
    expect(writePage([], 9, NO_BOUNDS, JSON_STYLE)).toEqual(page)
  })

  it('begins inside a batch', () => {
    const log = [
      batch(10, 1, '{"value":"é"}', '{"value":1}', '{"value":2}'),
      batch(13, 1, '{"value":3}'),
    ]
    const page = writePage(log, 12, NO_BOUNDS, NDJSON_STYLE)
    expect(page.text).toBe(
      '{"offset":12,"timestamp":1,"value":2}\n{"offset":13,"timestamp":1,"value":3}\n',
    )
    expect(page.next_offset).toBe(14)
  })

  it.each([1, 2, 3, 4, 5, 6])(
    'ends after max_records (%i), inside a batch or between two',
    (max_records) => {
      const log = [
        batch(0, 1, '{"value":0}', '{"value":1}'),
        batch(2, 1, '{"value":2}', '{"value":3}', '{"value":4}'),
      ]
      const page = writePage(log, 0, { ...NO_BOUNDS, max_records }, NDJSON_STYLE)
      expect(page.record_count).toBe(Math.min(max_records, 5))
      expect(page.next_offset).toBe(page.record_count)
      expect(page.text.split('\n')).toHaveLength(page.record_count + 1)
    },
  )

  it('gives one record, however large', () => {
    const log = [batch(0, 1, JSON.stringify({ value: 'x'.repeat(100_000) }), '{"value":1}')]
    const page = writePage(log, 0, { max_records: 10, max_bytes: 1 }, JSON_STYLE)
    expect(page).toMatchObject({ record_count: 1, next_offset: 1, byte_length: page.text.length })
  })

  it.each([
    ['JSON', JSON_STYLE],
    ['NDJSON', NDJSON_STYLE],
  ])(
    'holds as many records of %s as max_bytes allows, counted in UTF-8',
    (_, style: RecordStyle) => {
      const log = fc.tuple(arbitraryLog, fc.nat(30), fc.nat(400), fc.integer({ min: 1, max: 12 }))
      fc.assert(
        fc.property(log, ([batches, skipped, max_bytes, max_records]) => {
          const records = shown(batches)
          const from =
            (batches[0]?.base_offset ?? 0) + Math.min(skipped, Math.max(0, records.length - 1))
          const rest = records.filter(({ offset }) => offset >= from).slice(0, max_records)
          const write = (count: number) => {
            const texts = rest.slice(0, count).map(({ text }) => text)
            return texts.join(style.separator) + (count > 0 ? style.end : '')
          }
          let count = Math.min(1, rest.length)
          while (count < rest.length && Buffer.byteLength(write(count + 1)) <= max_bytes) count++

          const from_batch = batches.filter(({ next_offset }) => next_offset > from)
          const page = writePage(from_batch, from, { max_records, max_bytes }, style)
          expect(page.text).toBe(write(count))
          expect(page.byte_length).toBe(Buffer.byteLength(page.text))
          expect(page.record_count).toBe(count)
          expect(page.next_offset).toBe(from + count)
        }),
        { seed: 7070, numRuns: 1000 },
      )
    },
  )
})

describe('recordLine', () => {
  it('is the stored line of any offset of a batch', () => {
    const made = batch(7, 1, '{"value":"é"}', '{"timestamp":3,"value":1}', '{"value":"\\n"}')
    expect([7, 8, 9].map((offset) => recordLine(made, offset))).toEqual(
      made.payload.split('\n').slice(0, 3),
    )
  })
})

describe('offsetAtTimestamp', () => {
  it('is the first offset of the batch that is young enough', () => {
    fc.assert(
      fc.property(arbitraryLog, fc.nat(25), fc.nat(110), (log, skipped, timestamp) => {
        for (const one of log) {
          const from = one.base_offset + skipped - 10
          const expected = shown([one]).find(
            (record) => record.offset >= from && record.timestamp >= timestamp,
          )
          expect(offsetAtTimestamp(one, from, timestamp)).toBe(expected?.offset)
        }
      }),
      { seed: 7070, numRuns: 1000 },
    )
  })

  it('reads the largest timestamp', () => {
    const made = batch(0, 1, '{"timestamp":8640000000000000,"value":1}')
    expect(offsetAtTimestamp(made, 0, 8_640_000_000_000_000)).toBe(0)
  })
})
