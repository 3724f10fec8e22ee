import { isUtf8 } from 'node:buffer'
import { LIMITS } from '../contract/limits.ts'
import { invalidField, pointerTo, ProblemError } from '../contract/problem-error.ts'
import { ExpectedOffsets, type ExpectedOffset } from '../contract/records.ts'
import { parseRecord } from './parse-record.ts'
import { recordTable, type RecordTable } from './record-table.ts'
import * as json from './scan-json.ts'

export interface ParsedBody {
  table: RecordTable
  expected_offsets: readonly ExpectedOffset[]
}

/** Turns the scanner's complaint into the caller's 400. */
export function asInvalidJson<T>(pointer: () => string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof json.JsonSyntaxError) {
      throw invalidField('body', pointer(), `is not JSON: ${error.message}`)
    }
    throw error
  }
}

export function requireUtf8(body: Buffer): void {
  if (isUtf8(body)) return
  throw new ProblemError('invalid_request', 'The body is not valid UTF-8, so it is not JSON.', {
    errors: [{ in: 'body', pointer: '', detail: 'is not valid UTF-8' }],
    hint: 'Send bytes as value_base64, or POST them to /t/{topic} with Content-Type: application/octet-stream.',
  })
}

export function requireRoom(count: number): void {
  if (count < LIMITS.records_per_request) return
  const limit = LIMITS.records_per_request.toLocaleString('en')
  throw new ProblemError('request_too_large', `The request holds more than ${limit} records.`)
}

/** Reads `{"records":[...],"expected_offsets":[...]}`. The table is valid until the next body is parsed. */
export function parseEnvelope(body: Buffer): ParsedBody {
  requireUtf8(body)
  const table = recordTable.reset(body, '/records/')
  let seenRecords = false
  let inRecords = false
  let expected_offsets: readonly ExpectedOffset[] | undefined

  function readMember(nameStart: number, nameEnd: number, valueStart: number): number {
    const name = JSON.parse(body.toString('utf8', nameStart, nameEnd)) as string
    if (name === 'records' ? seenRecords : name === 'expected_offsets' && expected_offsets) {
      throw invalidField('body', pointerTo(name), 'stands twice')
    }
    if (name === 'records') {
      seenRecords = true
      inRecords = true
      const end = readRecords(table, valueStart)
      inRecords = false
      return end
    }
    const end = json.skipValue(body, valueStart)
    if (name !== 'expected_offsets') {
      throw invalidField(
        'body',
        pointerTo(name),
        'is not a member of a produce request: records, expected_offsets',
      )
    }
    expected_offsets = readExpectedOffsets(body.toString('utf8', valueStart, end))
    return end
  }

  asInvalidJson(
    () => (inRecords ? table.pointer() : ''),
    () => {
      const at = json.skipSpace(body, 0)
      if (at < body.length && body[at] !== json.OPEN_BRACE) {
        throw invalidField(
          'body',
          '',
          'must be an object with records, such as {"records":[{"value":1}]}',
        )
      }
      requireEnd(
        body,
        json.eachMember(body, json.requireByte(body, at, json.OPEN_BRACE), readMember),
      )
    },
  )
  if (table.count === 0)
    throw invalidField('body', '/records', 'must be an array with at least one record')
  return { table, expected_offsets: expected_offsets ?? [] }
}

export function requireEnd(body: Buffer, from: number): void {
  const at = json.skipSpace(body, from)
  if (at < body.length) throw new json.JsonSyntaxError(at, 'nothing more expected')
}

function readRecords(table: RecordTable, from: number): number {
  if (table.source[from] !== json.OPEN_BRACKET) {
    throw invalidField('body', '/records', 'must be an array of records')
  }
  return json.eachElement(table.source, from, (at) => {
    requireRoom(table.count)
    table.position = table.count
    return parseRecord(table, at)
  })
}

function readExpectedOffsets(text: string): readonly ExpectedOffset[] {
  const parsed = ExpectedOffsets.safeParse(JSON.parse(text))
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
    const steps = ['expected_offsets', ...(issue?.path ?? []).map(String), ...unknown]
    const pointer = pointerTo(...steps)
    throw invalidField('body', pointer, issue?.message ?? 'is not valid')
  }
  const partitions = new Set(parsed.data.map((expected) => expected.partition))
  if (partitions.size === parsed.data.length) return parsed.data
  throw invalidField('body', '/expected_offsets', 'names a partition twice')
}

/** Calls `read` with the bounds of each line, without its newline; a newline at the very end begins no line. */
export function eachLine(body: Buffer, read: (from: number, to: number) => void): void {
  let from = 0
  while (from < body.length) {
    const newline = body.indexOf(json.NEWLINE, from)
    const to = newline === -1 ? body.length : newline
    read(from, to)
    from = to + 1
  }
}

/** The first byte of a line that is not a space, or its end. */
function skipBlanks(body: Buffer, from: number, to: number): number {
  let at = from
  while (at < to && (body[at] === 0x20 || body[at] === 0x09 || body[at] === 0x0d)) at++
  return at
}

/** Reads NDJSON with `readValue` at the start of each line that is not blank. */
export function readNdjson(table: RecordTable, readValue: (at: number) => number): void {
  const body = table.source
  let line = 0
  asInvalidJson(
    () => table.pointer(),
    () => {
      eachLine(body, (from, to) => {
        table.position = line++
        const at = skipBlanks(body, from, to)
        if (at === to) return
        requireRoom(table.count)
        const end = readValue(at)
        if (end > to) throw new json.JsonSyntaxError(to, 'the value must end on its line')
        const rest = skipBlanks(body, end, to)
        if (rest < to)
          throw new json.JsonSyntaxError(rest, 'one value a line; nothing more expected')
      })
    },
  )
  if (table.count === 0) throw invalidField('body', '', 'must hold at least one record')
}

/** Reads NDJSON: one record object a line. */
export function parseRecordLines(body: Buffer): ParsedBody {
  requireUtf8(body)
  const table = recordTable.reset(body, '/')
  readNdjson(table, (at) => parseRecord(table, at))
  return { table, expected_offsets: [] }
}
