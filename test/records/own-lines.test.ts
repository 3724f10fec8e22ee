import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeJsonEvents } from '../../src/drains/json-events.ts'
import { decodeLogplex } from '../../src/drains/logplex.ts'
import { parseRecordLines } from '../../src/records/parse-body.ts'
import { tableOfOwnLines } from '../../src/records/own-lines.ts'
import type { RecordTable } from '../../src/records/record-table.ts'

const SENDER = { source: undefined }

/** What a table says of each record, taken out of it, as the next body uses the same table. */
function contents(table: RecordTable) {
  return Array.from({ length: table.count }, (_, k) => ({
    line: table.line(k).toString(),
    key: table.key(k)?.toString(),
    partition: table.partition[k],
    timestamp: table.timestamp[k],
  }))
}

function expectSame(records: readonly string[]): void {
  if (records.length === 0) return
  const body = Buffer.from(`${records.join('\n')}\n`)
  const own = contents(tableOfOwnLines(body))
  expect(own).toEqual(contents(parseRecordLines(body).table))
  expect(own).toHaveLength(records.length)
}

const anyName = fc.oneof(fc.constantFrom('web.1', '-', 'a"b', 'a\\b', 'é', ''), fc.string())

describe('records that our own codecs wrote', () => {
  it('are found as a parser finds them, of log lines', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyName, anyName, fc.string()), { maxLength: 20 }), (lines) => {
        const messages = lines.map(([app, process, text]) =>
          Buffer.from(`<190>1 2026-11-21T09:41:06.8+00:00 host ${app} ${process} - ${text}\n`),
        )
        const frames = messages.map((message) =>
          Buffer.concat([Buffer.from(`${String(message.length)} `), message]),
        )
        const body = Buffer.concat(frames)
        expectSame(decodeLogplex(body, SENDER, { is_logplex: true }).records)
      }),
      { seed: 5, numRuns: 300 },
    )
  })

  it('are found as a parser finds them, of JSON', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ app: anyName, process: anyName, x: fc.json() })),
        (events) => {
          const body = Buffer.from(JSON.stringify(events))
          expectSame(decodeJsonEvents(body, SENDER, 'json').records)
        },
      ),
      { seed: 6, numRuns: 300 },
    )
  })

  it('are found as a parser finds them, of any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expectSame(decodeLogplex(Buffer.from(bytes), SENDER, { is_logplex: false }).records)
      }),
      { seed: 7, numRuns: 300 },
    )
  })
})
