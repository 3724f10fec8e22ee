import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../src/contract/limits.ts'
import { packBatches, type Batch } from '../../src/records/pack.ts'
import { parseEnvelope, parseRecordLines } from '../../src/records/parse-body.ts'

const linesOf = (batches: readonly Batch[]) =>
  Buffer.concat(batches.map(({ payload }) => payload)).toString()
const stored = (records: readonly string[]) => records.map((record) => `${record}\n`).join('')

const arbitraryRecord = fc
  .tuple(fc.string({ unit: 'grapheme', maxLength: 8 }), fc.option(fc.nat(1000), { nil: undefined }))
  .map(([value, timestamp]) => JSON.stringify({ timestamp, value }))

/** A body with these records in it, and what is between them. */
const arbitraryBody = fc
  .tuple(
    fc.array(arbitraryRecord, { minLength: 1, maxLength: 20 }),
    fc.constantFrom(',', ' ,', ', ', ',\n'),
  )
  .map(([records, separator]) => ({ records, body: `{"records":[${records.join(separator)}]}` }))

describe('packBatches', () => {
  it('gives the lines in order, taken over from the body or copied', () => {
    fc.assert(
      fc.property(arbitraryBody, ({ records, body }) => {
        const batches = packBatches(parseEnvelope(Buffer.from(body)).table)
        expect(linesOf(batches)).toBe(stored(records))
        expect(batches.map(({ record_count }) => record_count)).toEqual([records.length])
      }),
      { seed: 7070, numRuns: 500 },
    )
  })

  it('gives the same for NDJSON, whatever ends its last line', () => {
    fc.assert(
      fc.property(
        fc.array(arbitraryRecord, { minLength: 1, maxLength: 20 }),
        fc.constantFrom('\n', '\r\n', '\n\n', ' \n'),
        fc.constantFrom('', '\n', '\r\n', ' '),
        (records, separator, end) => {
          const { table } = parseRecordLines(Buffer.from(records.join(separator) + end))
          expect(linesOf(packBatches(table))).toBe(stored(records))
        },
      ),
      { seed: 7070, numRuns: 500 },
    )
  })

  it('takes lines over in place where one byte stands between them', () => {
    const body = Buffer.from('{"records":[{"value":1},{"value":2}]}')
    const [batch] = packBatches(parseEnvelope(body).table)
    expect(batch?.payload.buffer).toBe(body.buffer)
    expect(batch?.payload.toString()).toBe('{"value":1}\n{"value":2}\n')
  })

  it.each([
    ['two bytes between them', '{"records":[{"value":1}, {"value":2}]}', 'envelope'],
    ['one of them rebuilt', '{"records":[{"value":1},{"partition":0,"value":2}]}', 'envelope'],
    ['nothing after the last', '{"value":1}\n{"value":2}', 'NDJSON'],
  ])('copies them with %s, and leaves the body as it is', (_, text, form) => {
    const body = Buffer.from(text)
    const { table } = form === 'NDJSON' ? parseRecordLines(body) : parseEnvelope(body)
    expect(linesOf(packBatches(table))).toBe('{"value":1}\n{"value":2}\n')
    expect(body.toString()).toBe(text)
  })

  it('picks the records it is told to, in that order', () => {
    fc.assert(
      fc.property(arbitraryBody, fc.infiniteStream(fc.boolean()), ({ records, body }, chosen) => {
        const indexes = records.map((_, index) => index).filter(() => chosen.next().value)
        const batches = packBatches(
          parseEnvelope(Buffer.from(body)).table,
          Int32Array.from(indexes),
        )
        expect(linesOf(batches)).toBe(stored(indexes.map((index) => records[index]!)))
      }),
      { seed: 7070, numRuns: 300 },
    )
  })

  it('may split one body over partitions, one after the other', () => {
    const records = Array.from({ length: 9 }, (_, index) => `{"value":${String(index)}}`)
    const { table } = parseEnvelope(Buffer.from(`{"records":[${records.join(',')}]}`))
    for (const rest of [0, 1, 2]) {
      const indexes = [rest, rest + 3, rest + 6]
      const batches = packBatches(table, Int32Array.from(indexes))
      expect(linesOf(batches)).toBe(stored(indexes.map((index) => records[index]!)))
    }
  })
})

describe('a batch', () => {
  it.each([
    ['taken over', ','],
    ['copied', ', '],
  ])('is cut where it reaches 64 KiB, when %s', (_, separator) => {
    const size = fc.integer({ min: 1, max: 20_000 })
    fc.assert(
      fc.property(fc.array(size, { minLength: 1, maxLength: 40 }), (sizes) => {
        const records = sizes.map((length) => JSON.stringify({ value: 'x'.repeat(length) }))
        const body = Buffer.from(`{"records":[${records.join(separator)}]}`)
        const batches = packBatches(parseEnvelope(body).table)
        expect(linesOf(batches)).toBe(stored(records))
        expect(batches.reduce((sum, { record_count }) => sum + record_count, 0)).toBe(
          records.length,
        )
        for (const { payload, record_count } of batches) {
          expect(payload.toString().split('\n')).toHaveLength(record_count + 1)
          const last = payload.lastIndexOf(0x0a, payload.length - 2) + 1
          expect(last).toBeLessThan(LIMITS.batch_bytes)
        }
        for (const { payload } of batches.slice(0, -1)) {
          expect(payload.length).toBeGreaterThanOrEqual(LIMITS.batch_bytes)
        }
      }),
      { seed: 7070, numRuns: 50 },
    )
  })

  it('holds one record alone if that is larger', () => {
    const records = [
      `{"value":"${'x'.repeat(200_000)}"}`,
      `{"value":"${'é'.repeat(200_000)}"}`,
      '{"value":1}',
    ]
    const { table } = parseEnvelope(Buffer.from(`{"records":[${records.join(',')}]}`))
    const batches = packBatches(table)
    expect(batches.map(({ payload }) => payload.toString())).toEqual(
      records.map((record) => `${record}\n`),
    )
  })

  it.each([
    ['no timestamps', [undefined, undefined], 0, true],
    ['some', [7, undefined, 3], 7, true],
    ['all', [3, 9, 5], 9, false],
    ['the first instant', [0], 0, false],
    ['the last', [8_640_000_000_000_000], 8_640_000_000_000_000, false],
  ])(
    'knows the largest timestamp and whether any is to be stamped: %s',
    (_, timestamps, max_timestamp, stamps) => {
      const records = timestamps.map((timestamp) => JSON.stringify({ timestamp, value: 1 }))
      const { table } = parseEnvelope(Buffer.from(`{"records":[${records.join(',')}]}`))
      expect(packBatches(table)).toEqual([expect.objectContaining({ max_timestamp, stamps })])
    },
  )

  it('knows them of its own records only', () => {
    const big = 'x'.repeat(LIMITS.batch_bytes)
    const records = [
      `{"timestamp":50,"value":"${big}"}`,
      `{"value":"${big}"}`,
      '{"timestamp":20,"value":1}',
      '{"timestamp":30,"value":1}',
    ]
    const { table } = parseEnvelope(Buffer.from(`{"records":[${records.join(',')}]}`))
    const expected = [
      { record_count: 1, max_timestamp: 50, stamps: false },
      { record_count: 1, max_timestamp: 0, stamps: true },
      { record_count: 2, max_timestamp: 30, stamps: false },
    ]
    expect(packBatches(table)).toMatchObject(expected)
    expect(packBatches(table, Int32Array.of(2, 0))).toMatchObject([
      { max_timestamp: 50, stamps: false },
    ])
  })
})
