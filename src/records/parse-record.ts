/* eslint-disable @typescript-eslint/no-non-null-assertion -- indexes stay inside what was just scanned */
import { LIMITS } from '../contract/limits.ts'
import { invalidField, pointerTo } from '../contract/problem-error.ts'
import { base64Problem } from './base64.ts'
import { KeyForm, type RecordTable } from './record-table.ts'
import * as json from './scan-json.ts'
import { parseTimestamp } from './timestamp.ts'

/** The members of a record, by number: indexes into typed arrays cost a fifth of keyed properties here. */
const NAMES = [
  'key',
  'value',
  'headers',
  'partition',
  'timestamp',
  'key_base64',
  'value_base64',
  'headers_base64',
] as const
const KEY = 0
const VALUE = 1
const HEADERS = 2
const PARTITION = 3
const TIMESTAMP = 4
const KEY_BASE64 = 5
const VALUE_BASE64 = 6
const HEADERS_BASE64 = 7
const UNKNOWN = -1
/** A stored line's own timestamp begins behind this. */
const TIMESTAMP_AT = '{"timestamp":'.length

/** The members that have a name of this length; only two share one. */
const BY_LENGTH: readonly (readonly number[])[] = Array.from({ length: 15 }, (_, length) =>
  NAMES.flatMap((name, member) => (name.length === length ? [member] : [])),
)
const NAME_BYTES = NAMES.map((name) => Buffer.from(name))

/** The record being read; one set of variables will do, as reading is synchronous. */
let table: RecordTable
let bytes: Buffer
/** Where each member's text lies, and a bit for each that was seen. */
const start = new Int32Array(NAMES.length)
const end = new Int32Array(NAMES.length)
let seen = 0
let keyEscaped = false
/** Set where the line cannot be stored as sent. */
let irregular = false
let headerCount = 0
let headersMember = HEADERS

function has(member: number): boolean {
  return (seen & (1 << member)) !== 0
}

function invalid(member: number, detail: string): Error {
  const name = member === UNKNOWN ? '' : `/${NAMES[member]!}`
  return invalidField('body', table.pointer() + name, detail)
}

function memberNamed(from: number, to: number): number {
  const candidates = BY_LENGTH[to - from]
  if (candidates === undefined) return UNKNOWN
  for (const member of candidates) {
    const name = NAME_BYTES[member]!
    let at = 0
    while (at < name.length && bytes[from + at] === name[at]) at++
    if (at === name.length) return member
  }
  return UNKNOWN
}

/**
 * Reads the record object at `from` into the table and returns the index after it. The line is taken over
 * as it was sent unless it needs another form: no partition in it, the timestamp a number and in front,
 * no newlines, nothing between `{` and the first name.
 */
export function parseRecord(into: RecordTable, from: number): number {
  table = into
  bytes = into.source
  if (bytes[from] !== json.OPEN_BRACE) {
    throw invalid(UNKNOWN, 'a record must be an object, such as {"value": 1}')
  }
  json.met.newline = false
  seen = 0
  headerCount = 0
  irregular = bytes[from + 1] !== json.QUOTE
  const to = json.eachMember(bytes, from, readMember)
  finishRecord(from, to)
  return to
}

function readMember(nameStart: number, nameEnd: number, valueStart: number): number {
  const member = memberNamed(nameStart + 1, nameEnd - 1)
  if (member === UNKNOWN) {
    const sent = JSON.parse(bytes.toString('utf8', nameStart, nameEnd)) as string
    const detail = `is not a member of a record: ${NAMES.join(', ')}`
    throw invalidField('body', table.pointer() + pointerTo(sent), detail)
  }
  if (has(member)) throw invalid(member, 'stands twice in this record')
  if (member === TIMESTAMP && seen !== 0) irregular = true
  seen |= 1 << member
  start[member] = valueStart
  json.met.escape = false
  const isHeaders = member === HEADERS || member === HEADERS_BASE64
  const to = isHeaders ? readHeaders(member) : json.skipValue(bytes, valueStart)
  end[member] = to
  if (member === KEY) checkKey()
  else if (member === KEY_BASE64 || member === VALUE_BASE64) checkBytes(member)
  return to
}

function checkKey(): void {
  const isNull = bytes[start[KEY]!] === 0x6e
  if (!isNull && bytes[start[KEY]!] !== json.QUOTE) {
    throw invalid(KEY, 'must be a string or null; put a number in quotes')
  }
  keyEscaped = json.met.escape
}

function checkBytes(member: number): void {
  const isString = bytes[start[member]!] === json.QUOTE
  const problem = isString
    ? base64Problem(bytes, start[member]! + 1, end[member]! - 1)
    : 'must be a string'
  if (problem) throw invalid(member, problem)
  if (json.met.escape) irregular = true
}

/** Reads a headers object: names with string values. */
function readHeaders(member: number): number {
  headersMember = member
  if (bytes[start[member]!] !== json.OPEN_BRACE) throw invalid(member, MUST_BE_STRINGS)
  return json.eachMember(bytes, start[member]!, member === HEADERS ? readHeader : readHeaderBase64)
}
const MUST_BE_STRINGS = 'must be an object of strings, such as {"traceparent": "00-..."}'

function readHeader(_nameStart: number, _nameEnd: number, valueStart: number): number {
  if (++headerCount > LIMITS.headers_per_record) {
    throw invalid(headersMember, `more than ${String(LIMITS.headers_per_record)} headers`)
  }
  if (bytes[valueStart] !== json.QUOTE) throw invalid(headersMember, MUST_BE_STRINGS)
  return json.skipString(bytes, valueStart)
}

function readHeaderBase64(nameStart: number, nameEnd: number, valueStart: number): number {
  const to = readHeader(nameStart, nameEnd, valueStart)
  const problem = base64Problem(bytes, valueStart + 1, to - 1)
  if (problem) throw invalid(HEADERS_BASE64, problem)
  return to
}

function finishRecord(from: number, to: number): void {
  if (has(VALUE) === has(VALUE_BASE64)) {
    const what = has(VALUE)
      ? 'has both value and value_base64'
      : 'needs a value or value_base64 (null is a value)'
    throw invalid(UNKNOWN, what)
  }
  if (has(KEY) && has(KEY_BASE64)) throw invalid(UNKNOWN, 'has both key and key_base64')
  // Where stored lines have their timestamp is fixed: page.ts and the SQL view look for it there.
  if (has(TIMESTAMP) && start[TIMESTAMP] !== from + TIMESTAMP_AT) irregular = true
  const index = table.add(from, to)
  if (has(KEY)) noteKey(index, KEY)
  else if (has(KEY_BASE64)) noteKey(index, KEY_BASE64)
  if (has(PARTITION)) table.partition[index] = parsePartition()
  if (has(TIMESTAMP)) noteTimestamp(index)
  if (irregular || json.met.newline || has(PARTITION)) table.rebuilt.set(index, rebuild(index))
}

function noteKey(index: number, member: number): void {
  if (bytes[start[member]!] !== json.QUOTE) return
  table.key_start[index] = start[member]! + 1
  table.key_end[index] = end[member]! - 1
  if (member === KEY_BASE64) table.key_form[index] = KeyForm.base64
  else table.key_form[index] = keyEscaped ? KeyForm.escaped : KeyForm.plain
}

function parsePartition(): number {
  const text = bytes.toString('latin1', start[PARTITION], end[PARTITION])
  if (!/^\d{1,9}$/.test(text)) throw invalid(PARTITION, 'must be a whole number from 0')
  return Number(text)
}

function noteTimestamp(index: number): void {
  const text = bytes.toString('latin1', start[TIMESTAMP], end[TIMESTAMP])
  const isString = text.startsWith('"')
  const timestamp = parseTimestamp(isString ? text.slice(1, -1) : text, !isString)
  if (timestamp === undefined) {
    throw invalid(TIMESTAMP, 'must be epoch milliseconds or RFC 3339 text')
  }
  table.timestamp[index] = timestamp
  if (isString) irregular = true
}

/** The line in its stored form, from the members' texts. */
function rebuild(index: number): Buffer {
  const parts: string[] = []
  if (has(TIMESTAMP)) parts.push(`"timestamp":${String(table.timestamp[index]!)}`)
  NAMES.forEach((name, member) => {
    if (member === PARTITION || member === TIMESTAMP || !has(member)) return
    let text = bytes.toString('latin1', start[member], end[member])
    if (member === KEY_BASE64 || member === VALUE_BASE64) text = text.replaceAll('\\/', '/')
    parts.push(`"${name}":${text}`)
  })
  // Inside strings a newline is escaped, so these can only stand between tokens, where a space is as good.
  return Buffer.from(`{${parts.join(',')}}`.replaceAll('\n', ' '), 'latin1')
}
