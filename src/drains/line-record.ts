import { isAscii, isUtf8 } from 'node:buffer'
import { LIMITS } from '../contract/limits.ts'
import type { Decoded, Sender } from './decoded.ts'
import type { Frame } from './frames.ts'
import { readGap } from './gaps.ts'
import { Heads, keyOf } from './heads.ts'
import { isPlain, quote } from './json-text.ts'
import { Flag, flagsText, headText, NOT_UNDERSTOOD } from './line-members.ts'
import { cutPieces, PIECE_BYTES } from './pieces.ts'
import { isRequestTo } from './shapes/router.ts'
import { shapeText } from './shapes/table.ts'
import { readSyslog, withoutNewline, type SyslogLine, type SyslogOptions } from './syslog.ts'

/** Logplex cuts longer texts, between any two bytes. */
const SPLIT_BYTES = 10_000
/** Of these many sources the owner is told; a dozen is usual. */
const SOURCES = 300

export interface LineOptions extends SyslogOptions {
  /** How the body says where messages begin: by octet counts, so that one without is flagged, or by lines. */
  framing: 'counts' | 'lines'
}

/** A message as text: where it lies in which string. */
interface Text {
  text: string
  from: number
  to: number
  is_utf8: boolean
}

/**
 * Makes records of a body's messages, one after the other. It holds what is the same for many lines: heads,
 * and, where the whole body is ASCII, its text, of which lines are slices.
 */
export class LineDecoder {
  readonly decoded: Decoded & { seen: { sources: Set<string> } }
  /** Lines that the body itself says were lost, by the code it gives. */
  readonly lost = new Map<string, number>()
  readonly #body: Buffer
  /** The body as latin1: an index is a byte. */
  readonly #text: string
  readonly #isAscii: boolean
  readonly #sender: Sender
  readonly #options: LineOptions & { heads: Heads }

  constructor(body: Buffer, text: string, sender: Sender, options: LineOptions) {
    this.#body = body
    this.#text = text
    this.#isAscii = isAscii(body)
    this.#sender = sender
    this.#options = { ...options, heads: new Heads(sender.source) }
    const seen = { lines: 0, dropped: 0, flagged: 0, looped: 0, newest_ms: undefined }
    this.decoded = { records: [], seen: { ...seen, sources: new Set() } }
  }

  /** Adds the record of one message; several of a message that is too long for one. */
  add(frame: Frame): void {
    const size = frame.end - frame.start
    if (size > LIMITS.drain_record_bytes) {
      this.#addPieces(frame)
      return
    }
    const at = this.#textOf(frame.start, frame.end)
    const line = readSyslog(at.text, at.from, at.to, this.#options)
    if (line && this.#isLoop(line, at.text)) {
      this.decoded.seen.looped++
      return
    }
    const message = messageOf(at, line)
    const plain = isPlain(message)
    const flags = this.#flagsOf(frame, at, line, plain ? '' : message)
    const kind = line && at.is_utf8 ? shapeText(line.head.origin, message, plain) : ''
    const record =
      `${this.#beginning(line)}${quote(message, plain)}${othersText(line)}${kind}${flagsText(flags)}` +
      `${this.#rawText(frame, at, line)}${this.#frameText(frame)}}}`
    // What has at most this many bytes fits, even if each of them takes six characters, twice.
    if (size > PIECE_BYTES && Buffer.byteLength(record) > LIMITS.drain_record_bytes) {
      this.#addPieces(frame)
      return
    }
    this.decoded.records.push(record)
    this.#see(line, flags)
    if (line?.head.origin === 'logplex') this.#noteGap(message)
  }

  /** A record up to its message. */
  #beginning(line: SyslogLine | undefined): string {
    const key = line ? line.head.key : keyOf(this.#sender.source ?? '', '')
    return `{"key":${key},"value":{${headText(line)},"message":`
  }

  /** The text of the bytes from `start` to `end`; what is no UTF-8 with replacement characters. */
  #textOf(start: number, end: number): Text {
    if (this.#isAscii) return { text: this.#text, from: start, to: end, is_utf8: true }
    const bytes = this.#body.subarray(start, end)
    if (isAscii(bytes)) return { text: this.#text, from: start, to: end, is_utf8: true }
    const text = bytes.toString()
    return { text, from: 0, to: text.length, is_utf8: isUtf8(bytes) }
  }

  /** Storing such a line makes a request, which makes such a line. */
  #isLoop({ head, message_from, message_to }: SyslogLine, text: string): boolean {
    const own = this.#sender.own
    if (!own || head.origin !== 'router') return false
    return isRequestTo(text.slice(message_from, message_to), own)
  }

  #noteGap(message: string): void {
    const gap = readGap(message)
    if (!gap) return
    this.decoded.seen.dropped += gap.dropped
    this.lost.set(gap.code, (this.lost.get(gap.code) ?? 0) + gap.dropped)
  }

  /** `escaped` is the message if it may have a NUL. */
  #flagsOf(frame: Frame, at: Text, line: SyslogLine | undefined, escaped: string): number {
    const hasNewline = line ? line.has_newline : withoutNewline(at.text, at.from, at.to) < at.to
    let flags = hasNewline ? 0 : Flag.no_newline
    if (!frame.is_counted && this.#options.framing === 'counts') flags |= Flag.bad_count
    if (!at.is_utf8) flags |= Flag.not_utf8
    if (escaped.includes('\0')) flags |= Flag.nul
    if (!line) return flags | Flag.not_syslog
    if (line.has_bad_time) flags |= Flag.bad_time
    if (!hasNewline && isSplit(frame, at, line)) flags |= Flag.split
    return flags
  }

  /** Counts a line for the drain's owner. */
  #see(line: SyslogLine | undefined, flags: number): void {
    const { seen } = this.decoded
    seen.lines++
    if ((flags & NOT_UNDERSTOOD) !== 0) seen.flagged++
    if (!line) return
    if (seen.sources.size < SOURCES) seen.sources.add(line.head.source)
    if (line.time_ms >= (seen.newest_ms ?? 0)) seen.newest_ms = line.time_ms
  }

  /** `raw` or `raw_base64`, where the members of the line are not enough. */
  #rawText({ start, end }: Frame, at: Text, line: SyslogLine | undefined): string {
    const { text, from, to, is_utf8 } = at
    if (is_utf8 && line?.is_canonical) return ''
    if (!is_utf8) return `,"raw_base64":"${this.#body.toString('base64', start, end)}"`
    return `,"raw":${quote(text.slice(from, to))}`
  }

  /** `frame_prefix` and `frame_suffix`, where they are not what the length says. */
  #frameText({ from, start, end, to, is_counted }: Frame): string {
    // A count that is right, and no longer than its number: it cannot be written in another way.
    if (is_counted && to === end && start - from === String(end - start).length + 1) return ''
    const prefix = this.#text.slice(from, start)
    const suffix = this.#text.slice(end, to)
    return (
      (prefix === `${end - start} ` ? '' : `,"frame_prefix":${quote(prefix)}`) +
      (suffix === '' ? '' : `,"frame_suffix":${quote(suffix)}`)
    )
  }

  /** Cuts a message into pieces of its bytes. All have the head of the line, which is read in the first. */
  #addPieces(frame: Frame): void {
    const pieces = cutPieces(this.#body, frame)
    const first = this.#textOf(frame.start, pieces[0]?.end ?? frame.end)
    const line = readSyslog(first.text, first.from, first.to, this.#options)
    this.#see(line, this.#flagsOf(frame, first, line, ''))
    pieces.forEach((piece, index) => {
      const at = this.#textOf(piece.start, piece.end)
      const from = index === 0 && line ? line.message_from : at.from
      const isLast = index === pieces.length - 1
      const to = isLast ? withoutNewline(at.text, at.from, at.to) : at.to
      const part = `,"part":{"index":${index},"of":${pieces.length}}}}`
      this.decoded.records.push(this.#piece(piece, { ...at, from, to }, line) + part)
    })
  }

  /** The record of a piece whose message is this text, without its last members and braces. */
  #piece(frame: Frame, message: Text, line: SyslogLine | undefined): string {
    const text = message.text.slice(message.from, message.to)
    const flags = this.#flagsOf(frame, message, line, text) & ~(Flag.no_newline | Flag.split)
    const at = this.#textOf(frame.start, frame.end)
    return (
      `${this.#beginning(line)}${quote(text)}${othersText(line)}${flagsText(flags | Flag.cut)}` +
      `${this.#rawText(frame, at, undefined)}${this.#frameText(frame)}`
    )
  }
}

function messageOf(at: Text, line: SyslogLine | undefined): string {
  return line
    ? at.text.slice(line.message_from, line.message_to)
    : at.text.slice(at.from, withoutNewline(at.text, at.from, at.to))
}

/** Has the text of this line, which has no newline, just as many bytes as Logplex lets pass? */
function isSplit(frame: Frame, at: Text, line: SyslogLine): boolean {
  const size = frame.end - frame.start
  if (size <= SPLIT_BYTES) return false
  return size - Buffer.byteLength(at.text.slice(at.from, line.message_from)) === SPLIT_BYTES
}

/** `host`, `msgid` and `structured_data`, as far as a line has them. */
function othersText(line: SyslogLine | undefined): string {
  if (!line) return ''
  const data = line.structured_data
  return data === '' ? line.head.others : `${line.head.others},"structured_data":${quote(data)}`
}
