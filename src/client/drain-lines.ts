import { LINE_FLAGS, rawOf, type DrainLine } from '../contract/drain-lines.ts'

/** Logplex cuts texts after so many bytes, between any two of them. */
const SPLIT_BYTES = 10_000
/** What is waited with, at most: for the other parts of this many lines, for so many records, and of one line. */
const WAITING_LINES = 100
const WAITING_RECORDS = 1_000
const LINE_BYTES = 1024 * 1024
const NEWLINE = 0x0a

/** A record as fetched or tailed. */
interface WithValue {
  topic?: unknown
  key?: unknown
  value?: unknown
}

/** A line whose next part may come. */
interface Waiting<T> {
  /** The record of its first part. */
  record: T
  value: DrainLine
  /** The bytes in front of the text, which are the same in each part; and of the text, so far. */
  head: Uint8Array
  parts: Uint8Array[]
  bytes: number
  /** Number of the last part among the records. */
  at: number
}

/**
 * Joins log lines that Logplex cut after 10,000 bytes: `for await (const record of joinSplitLines(tail(…)))`.
 * Of such a line comes the record of its first part, with the whole text as its message; everything else comes as
 * it is. Characters that were cut in two are whole again. What is stored stays as it is: this is a view.
 *
 * A part belongs to the one before if its bytes begin with the same time, app and process. They need not follow
 * each other: a line waits for its next part until another of its process comes, or 1,000 records, or the end. So
 * records of other processes may overtake it.
 */
export async function* joinSplitLines<T extends WithValue>(
  records: Iterable<T> | AsyncIterable<T>,
): AsyncGenerator<T, undefined> {
  const waiting = new Map<string, Waiting<T>>()
  let count = 0
  for await (const record of records) {
    count++
    yield* take(waiting, record, count)
    yield* overdue(waiting, count)
  }
  for (const line of waiting.values()) yield joined(line)
  return undefined
}

function* take<T extends WithValue>(
  waiting: Map<string, Waiting<T>>,
  record: T,
  at: number,
): Generator<T> {
  const value = lineOf(record)
  if (!value) {
    yield record
    return
  }
  const key = JSON.stringify([record.topic, record.key, value.app, value.process])
  const line = waiting.get(key)
  if (line && isNext(line, value)) {
    add(line, value, at)
    if (isSplit(value) && line.bytes < LINE_BYTES) return
    waiting.delete(key)
    yield joined(line)
    return
  }
  if (line) yield joined(line)
  waiting.delete(key)
  if (isSplit(value)) waiting.set(key, begun(record, value, at))
  else yield record
}

/** The lines that have waited long enough; the oldest stands first. */
function* overdue<T>(waiting: Map<string, Waiting<T>>, count: number): Generator<T> {
  for (const [key, line] of waiting) {
    if (waiting.size <= WAITING_LINES && count - line.at < WAITING_RECORDS) return
    waiting.delete(key)
    yield joined(line)
  }
}

/** The value, where it is a log line. */
function lineOf({ value }: WithValue): DrainLine | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { app, process, message } = value as Partial<DrainLine>
  const isLine = [app, process, message].every((text) => typeof text === 'string')
  return isLine ? (value as DrainLine) : undefined
}

function isSplit(value: DrainLine): boolean {
  return value.flags?.includes('split') === true
}

function begun<T>(record: T, value: DrainLine, at: number): Waiting<T> {
  const raw = rawOf(value)
  const head = raw.subarray(0, raw.length - SPLIT_BYTES)
  return { record, value, head, parts: [raw.subarray(head.length)], bytes: SPLIT_BYTES, at }
}

function isNext({ value: before, head }: Waiting<unknown>, value: DrainLine): boolean {
  if (value.timestamp === null || value.timestamp !== before.timestamp) return false
  const raw = rawOf(value)
  return raw.length >= head.length && head.every((byte, index) => raw[index] === byte)
}

function add(line: Waiting<unknown>, value: DrainLine, at: number): void {
  const text = rawOf(value).subarray(line.head.length)
  line.parts.push(text)
  line.bytes += text.length
  line.at = at
}

function joined<T>(line: Waiting<T>): T {
  if (line.parts.length === 1) return line.record
  return { ...line.record, value: joinedValue(line) }
}

/** The line that there would be if it had not been cut; what only a part was found to be is left out. */
function joinedValue({ value, head, parts }: Waiting<unknown>): DrainLine {
  const raw = concatenated([head, ...parts])
  const text = decoded(raw.subarray(head.length))
  const { kind: _kind, fields: _fields, flags: _flags, raw: _raw, ...rest } = value
  const { raw_base64: _base64, frame_prefix: _prefix, frame_suffix: _suffix, ...line } = rest
  const whole: DrainLine = { ...line, message: text.text.replace(/\r?\n$/, '') }
  const flags = flagsOf(value, text.is_utf8, raw)
  if (flags.length > 0) whole.flags = flags
  if (!text.is_utf8) whole.raw_base64 = base64(raw)
  else if (!isSame(rawOf(whole), raw)) whole.raw = new TextDecoder().decode(raw)
  return whole
}

function flagsOf({ flags = [] }: DrainLine, isUtf8: boolean, raw: Uint8Array) {
  const isSet: Partial<Record<(typeof LINE_FLAGS)[number], boolean>> = {
    bad_count: flags.includes('bad_count'),
    not_utf8: !isUtf8,
    no_newline: raw.at(-1) !== NEWLINE,
    bad_time: flags.includes('bad_time'),
    nul: raw.includes(0),
  }
  return LINE_FLAGS.filter((flag) => isSet[flag])
}

function decoded(bytes: Uint8Array): { text: string; is_utf8: boolean } {
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    return { text: decoder.decode(bytes), is_utf8: true }
  } catch {
    return { text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes), is_utf8: false }
  }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index])
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

function base64(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text)
}
