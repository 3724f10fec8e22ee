import { expect } from 'vitest'
import { LIMITS } from '../../src/contract/limits.ts'
import type { Decoded, Sender } from '../../src/drains/decoded.ts'
import { parseRecordLines } from '../../src/records/parse-body.ts'

export const NOBODY: Sender = { source: undefined }
export const SHOP: Sender = { source: 'shop' }

/** Anything that JSON may hold. */
export type Json = ReturnType<typeof JSON.parse>

/** A produce record as a codec wrote it, and the exact text of its value. */
export interface RecordText {
  key: string | undefined
  headers: Record<string, string> | undefined
  value: Json
  text: string
}

/** The records of a body, each of which must be one that can be produced. */
export function recordsOf(decoded: Decoded): RecordText[] {
  for (let from = 0; from < decoded.records.length; from += LIMITS.records_per_request) {
    const some = decoded.records.slice(from, from + LIMITS.records_per_request)
    expect(parseRecordLines(Buffer.from(some.join('\n'))).table.count).toBe(some.length)
  }
  if (decoded.ids) expect(decoded.ids).toHaveLength(decoded.records.length)
  return decoded.records.map((record) => {
    expect(Buffer.byteLength(record)).toBeLessThanOrEqual(LIMITS.drain_record_bytes)
    const { key, headers, value } = JSON.parse(record)
    const head = key === undefined ? '{"value":' : `{"key":${JSON.stringify(key)},"value":`
    expect(record.startsWith(head)).toBe(true)
    const tail = headers === undefined ? '}' : `,"headers":${JSON.stringify(headers)}}`
    expect(record.endsWith(tail)).toBe(true)
    return { key, headers, value, text: record.slice(head.length, -tail.length) }
  })
}

export function keysOf(decoded: Decoded): (string | undefined)[] {
  return recordsOf(decoded).map((record) => record.key)
}

export function valuesOf(decoded: Decoded): Json[] {
  return recordsOf(decoded).map((record) => record.value)
}

/** The bytes that the values of text records stand for, one after the other. */
export function bytesOf(values: readonly { message: string; raw_base64?: string }[]): Buffer {
  return Buffer.concat(
    values.map(({ message, raw_base64 }) =>
      raw_base64 === undefined ? Buffer.from(message) : Buffer.from(raw_base64, 'base64'),
    ),
  )
}
