/* eslint-disable @typescript-eslint/no-non-null-assertion -- reads past the end give undefined, which is no byte
   that is looked for */
import { isUtf8 } from 'node:buffer'
import * as json from '../records/scan-json.ts'

/** Called with the bounds of what was found in a body. */
export interface JsonParts {
  /** A JSON value that the scanner has passed over. */
  value(from: number, to: number): void
  /** Bytes that are not JSON, without their final newline. */
  text(from: number, to: number): void
  /** All the rest of the body, once `isFull` says that no more parts are wanted. */
  rest(from: number, to: number): void
  isFull(): boolean
}

/** How much is kept as one text where a body is no JSON: a line, or all up to a line that begins with { or [. */
export type JsonForm = 'json' | 'ndjson'

const SPACE = 0x20
const TAB = 0x09
const RETURN = 0x0d
const COMMA = 0x2c
/** So many strings and numbers at the beginning of an array make it one. */
const HELD = 1000
/** Stands before each value of a JSON text sequence (RFC 7464). */
const RECORD_SEPARATOR = 0x1e
const SCALAR = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/

/**
 * Reads JSON values that follow each other: NDJSON, JSON objects with or without anything between them, also
 * pretty-printed, and arrays, of which each element counts. What is not JSON is handed out as text and reading goes
 * on behind it, so the parts found and what separates them (space, commas, brackets of arrays) are the whole body.
 */
export function eachJsonValue(body: Buffer, form: JsonForm, parts: JsonParts): void {
  new Walk(body, form, parts).run()
}

class Walk {
  private readonly body: Buffer
  private readonly form: JsonForm
  private readonly parts: JsonParts
  /** All before this has been handed out. */
  private done: number
  /**
   * Before this, a value must end on its line: a scan of several lines has already failed there. Otherwise n lines
   * that each open an array would cost n scans of all the rest.
   */
  private byLineUntil = 0
  /** An array of several elements was given up: its commas and its end may still come. */
  private inBrokenArray = false

  constructor(body: Buffer, form: JsonForm, parts: JsonParts) {
    this.body = body
    this.form = form
    this.parts = parts
    this.done = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0
  }

  run(): void {
    for (;;) {
      const at = this.skipBetween(this.done)
      if (at >= this.body.length) return
      if (this.parts.isFull()) {
        this.parts.rest(at, this.body.length)
        return
      }
      const byte = this.body[at]
      if (byte === json.OPEN_BRACE || byte === json.OPEN_BRACKET) this.readContainer(at)
      else this.readScalarLine(at)
    }
  }

  private skipBetween(start: number): number {
    let at = start
    for (;;) {
      const byte = this.body[at]
      const isEnd = this.inBrokenArray && (byte === COMMA || byte === json.CLOSE_BRACKET)
      if (byte === json.CLOSE_BRACKET && isEnd) this.inBrokenArray = false
      if (!isEnd && !isBlank(byte) && byte !== json.NEWLINE && byte !== RECORD_SEPARATOR) return at
      at++
    }
  }

  private readContainer(at: number): void {
    const bytes = at < this.byLineUntil ? this.body.subarray(0, this.lineEnd(at)) : this.body
    try {
      this.done = this.splits(bytes, at) ? this.readArray(bytes, at) : this.readValue(bytes, at)
      if (bytes[this.done] === COMMA) this.done++
    } catch (error) {
      if (!(error instanceof json.JsonSyntaxError)) throw error
      this.byLineUntil = Math.max(this.byLineUntil, error.position)
      if (!this.parts.isFull()) this.giveText(this.skipBetween(this.done))
    }
  }

  private readValue(bytes: Buffer, at: number): number {
    const end = json.skipValue(bytes, at)
    this.parts.value(at, end)
    return end
  }

  private splits(bytes: Buffer, at: number): boolean {
    return bytes[at] === json.OPEN_BRACKET && timedEvent(bytes, at) === undefined
  }

  /**
   * Elements are handed out as they are read, so that an array which ends too early gives what it has; but not before
   * there is an object or array among them: `[12, 5] connected` is a line of text.
   */
  private readArray(bytes: Buffer, at: number): number {
    this.inBrokenArray = false
    let held: [from: number, to: number][] = []
    const giveHeld = () => {
      for (const [from, to] of held) this.parts.value(from, to)
      held = []
    }
    const end = json.eachElement(bytes, at, (from) => {
      if (this.parts.isFull()) throw new json.JsonSyntaxError(from, 'enough')
      const to = json.skipValue(bytes, from)
      held.push([from, to])
      const isContainer = bytes[from] === json.OPEN_BRACE || bytes[from] === json.OPEN_BRACKET
      if (this.inBrokenArray || isContainer || held.length === HELD) {
        this.inBrokenArray = true
        this.done = to
        giveHeld()
      }
      return to
    })
    if (held.length > 0) requireLineEnd(bytes, end)
    giveHeld()
    this.inBrokenArray = false
    return end
  }

  /** A string, number, true, false or null counts where it has a line of its own. */
  private readScalarLine(at: number): void {
    const end = this.lineEnd(at)
    let to = end
    while (isBlank(this.body[to - 1])) to--
    if (!this.isScalar(at, to)) {
      this.giveText(at)
      return
    }
    this.parts.value(at, to)
    this.done = end
  }

  private isScalar(at: number, to: number): boolean {
    if (this.body[at] !== json.QUOTE) {
      return to - at <= 400 && SCALAR.test(this.body.toString('latin1', at, to))
    }
    try {
      return json.skipString(this.body.subarray(0, to), at) === to
    } catch (error) {
      if (error instanceof json.JsonSyntaxError) return false
      throw error
    }
  }

  /** Hands out text from `at`, or from where its line begins. */
  private giveText(at: number): void {
    const end = this.form === 'ndjson' ? this.lineEnd(at) : this.nextJsonLine(at)
    let from = at
    while (from > this.done && (this.body[from - 1] === SPACE || this.body[from - 1] === TAB))
      from--
    let to = end
    while (to > at && (this.body[to - 1] === RETURN || this.body[to - 1] === json.NEWLINE)) to--
    if (to > from) this.parts.text(from, to)
    this.done = Math.max(end, at + 1)
  }

  private lineEnd(at: number): number {
    const newline = this.body.indexOf(json.NEWLINE, at)
    return newline === -1 ? this.body.length : newline
  }

  /** The end of the first line from `at` on that is followed by one which begins with { or [. */
  private nextJsonLine(at: number): number {
    for (let end = this.lineEnd(at); ; end = this.lineEnd(end + 1)) {
      const next = this.body[end + 1]
      if (next === undefined) return this.body.length
      if (next === json.OPEN_BRACE || next === json.OPEN_BRACKET) return end
    }
  }
}

/** Behind an array of strings and numbers, text would say that the line is text, and not JSON. */
function requireLineEnd(bytes: Buffer, from: number): void {
  let at = from
  while (isBlank(bytes[at])) at++
  const byte = bytes[at]
  const isEnd = byte === undefined || byte === json.NEWLINE || byte === COMMA
  if (isEnd || byte === json.OPEN_BRACE || byte === json.OPEN_BRACKET) return
  throw new json.JsonSyntaxError(at, 'the end of the line expected')
}

function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB || byte === RETURN
}

/** Bounds of the parts of an event with its time beside it. */
export interface TimedEvent {
  time: readonly [from: number, to: number]
  /** Fluent Bit's metadata, where there is some. */
  metadata: readonly [from: number, to: number] | undefined
  event: readonly [from: number, to: number]
}

/**
 * Fluent Bit's and Fluentd's `[time, {event}]`, or `[[time, {metadata}], {event}]`, at `at`; undefined for any other
 * JSON, and for what is not JSON.
 */
export function timedEvent(bytes: Buffer, at: number): TimedEvent | undefined {
  try {
    return readTimed(bytes, at, false)
  } catch (error) {
    if (error instanceof json.JsonSyntaxError) return undefined
    throw error
  }
}

function readTimed(bytes: Buffer, at: number, isInner: boolean): TimedEvent | undefined {
  if (bytes[at] !== json.OPEN_BRACKET) return undefined
  const first = json.skipSpace(bytes, at + 1)
  const isTime = bytes[first] === 0x2d || (bytes[first]! >= 0x30 && bytes[first]! <= 0x39)
  const inner = isTime || isInner ? undefined : readTimed(bytes, first, true)
  if (!isTime && !inner) return undefined
  const firstEnd = json.skipValue(bytes, first)
  const comma = json.skipSpace(bytes, firstEnd)
  const second = json.skipSpace(bytes, comma + 1)
  if (bytes[comma] !== COMMA || bytes[second] !== json.OPEN_BRACE) return undefined
  const end = json.skipValue(bytes, second)
  if (bytes[json.skipSpace(bytes, end)] !== json.CLOSE_BRACKET) return undefined
  return inner
    ? { time: inner.time, metadata: inner.event, event: [second, end] }
    : { time: [first, firstEnd], metadata: undefined, event: [second, end] }
}

/** The bounds of the one JSON value that a body holds; undefined where it is not UTF-8 or holds anything else. */
export function soleJsonValue(body: Buffer): readonly [from: number, to: number] | undefined {
  if (!isUtf8(body)) return undefined
  const from = json.skipSpace(body, 0)
  try {
    const to = json.skipValue(body, from)
    return json.skipSpace(body, to) === body.length ? [from, to] : undefined
  } catch (error) {
    if (error instanceof json.JsonSyntaxError) return undefined
    throw error
  }
}
