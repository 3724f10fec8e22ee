import { isUtf8 } from 'node:buffer'
import { LIMITS } from '../contract/limits.ts'
import {
  asInvalidJson,
  eachLine,
  readNdjson,
  requireEnd,
  requireRoom,
  requireUtf8,
} from './parse-body.ts'
import { KeyForm, recordTable, type RecordTable } from './record-table.ts'
import * as json from './scan-json.ts'

/** How the short door reads a body: see `valueForm`. */
export type ValueForm = 'bytes' | 'form' | 'json' | 'lines' | 'ndjson' | 'text'

const TEXT_TYPES = /^(text\/|application\/(.*\+)?(xml|yaml|javascript|toml)$)/
const FORM_TYPE = 'application/x-www-form-urlencoded'
const NDJSON_TYPES = new Set(['application/x-ndjson', 'application/jsonl', 'application/ndjson'])

/**
 * What a body of this media type is: JSON; NDJSON; text; bytes. curl -d calls everything a form, so an
 * object or array of that type is JSON and all else text. Without a media type: text, if it is UTF-8.
 */
export function valueForm(mediaType: string): ValueForm {
  if (mediaType === 'application/json' || mediaType.endsWith('+json')) return 'json'
  if (NDJSON_TYPES.has(mediaType)) return 'ndjson'
  if (mediaType === FORM_TYPE) return 'form'
  if (mediaType === '' || TEXT_TYPES.test(mediaType)) return 'text'
  return 'bytes'
}

/** Is this media type NDJSON under one of its names? */
export function isNdjson(mediaType: string): boolean {
  return NDJSON_TYPES.has(mediaType)
}

/** Reads a body that is the value of a record, or of one record a line. Valid until the next body is parsed. */
export function parseValues(body: Buffer, form: ValueForm, key: string | undefined): RecordTable {
  const table = recordTable.reset(body, '/')
  const head = key === undefined ? '{' : `{"key":${JSON.stringify(key)},`
  const isJson = form === 'json' || (form === 'form' && looksLikeJson(body))
  if (form === 'ndjson') addJsonLines(table, head)
  else if (form === 'lines') addTextLines(table, head)
  else if (isJson) addJson(table, head)
  else addLine(table, head + (form === 'bytes' ? base64Member(body) : textMember(body)))
  if (key !== undefined) noteKey(table, key)
  return table
}

function addLine(table: RecordTable, line: string, encoding: 'latin1' | 'utf8' = 'utf8'): void {
  const index = table.add(0, 0)
  table.rebuilt.set(index, Buffer.from(`${line}}`, encoding))
}

function base64Member(bytes: Buffer): string {
  return `"value_base64":"${bytes.toString('base64')}"`
}

/** Text as a JSON string; what is not UTF-8 as bytes. */
function textMember(bytes: Buffer): string {
  return isUtf8(bytes) ? `"value":${JSON.stringify(bytes.toString())}` : base64Member(bytes)
}

/** Does a body that curl -d called a form hold a JSON object or array? */
function looksLikeJson(body: Buffer): boolean {
  const at = json.skipSpace(body, 0)
  if ((body[at] !== json.OPEN_BRACE && body[at] !== json.OPEN_BRACKET) || !isUtf8(body))
    return false
  try {
    requireEnd(body, json.skipValue(body, at))
    return true
  } catch (error) {
    if (error instanceof json.JsonSyntaxError) return false
    throw error
  }
}

/** A JSON value as the caller wrote it. Newlines stand only between tokens, where a space is as good. */
function valueMember(body: Buffer, from: number, to: number): string {
  return `"value":${body.toString('latin1', from, to).replaceAll('\n', ' ')}`
}

function addJson(table: RecordTable, head: string): void {
  const body = table.source
  requireUtf8(body)
  const from = json.skipSpace(body, 0)
  const to = asInvalidJson(
    () => '',
    () => {
      const end = json.skipValue(body, from)
      requireEnd(body, end)
      return end
    },
  )
  addLine(table, asLatin1(head) + valueMember(body, from, to), 'latin1')
}

function addJsonLines(table: RecordTable, head: string): void {
  const body = table.source
  requireUtf8(body)
  const start = asLatin1(head)
  readNdjson(table, (at) => {
    const end = json.skipValue(body, at)
    addLine(table, start + valueMember(body, at, end), 'latin1')
    return end
  })
}

/** UTF-8 bytes as a string of as many characters, to be put beside slices of the body. */
function asLatin1(text: string): string {
  return Buffer.from(text).toString('latin1')
}

function addTextLines(table: RecordTable, head: string): void {
  eachLine(table.source, (from, to) => {
    requireRoom(table.count)
    addLine(table, head + textMember(table.source.subarray(from, to)))
  })
  if (table.count === 0) addLine(table, `${head}"value":""`)
}

function noteKey(table: RecordTable, key: string): void {
  const bytes = Buffer.from(key)
  // The key is not in the body: keep it where the table looks for keys.
  table.source = Buffer.concat([table.source, bytes])
  const from = table.source.length - bytes.length
  for (let index = 0; index < Math.min(table.count, LIMITS.records_per_request); index++) {
    table.key_start[index] = from
    table.key_end[index] = table.source.length
    table.key_form[index] = KeyForm.plain
  }
}
