import type { Head, Heads } from './heads.ts'
import { structuredDataLength } from './structured-data.ts'
import { timeOf } from './line-time.ts'

/** A message taken apart. Indexes are those of the text it was read from. */
export interface SyslogLine {
  /** 0 to 191. */
  pri: number
  /** As sent; null where there is none, or no time. */
  timestamp: string | null
  /** Epoch ms, NaN where there is none. */
  time_ms: number
  /** Does something stand there that is no time? */
  has_bad_time: boolean
  head: Head
  /** As sent, '' where there is none. */
  structured_data: string
  /** The text, without its one final newline: text[message_from, message_to). */
  message_from: number
  message_to: number
  has_newline: boolean
  /** Is all of it `<pri>1 timestamp host app process - message\n`? */
  is_canonical: boolean
}

export interface SyslogOptions {
  /** Was it sent with Logplex's headers? Then structured data is never looked for. */
  is_logplex: boolean
}

const SPACE = 0x20
const HYPHEN = 0x2d
/** RFC 5424 allows host, app, process and message id 466 characters together, spaces included. */
const HEAD_CHARS = 466

/**
 * Reads text[from, to) as one message: `<PRI>1 TIMESTAMP HOST APP PROCID MSGID [STRUCTURED-DATA] MSG`,
 * RFC 5424 as far as senders keep to it (see Logplex, log-shuttle and syslog drains):
 *
 * - Logplex and log-shuttle write `-` for MSGID; Logplex then leaves out the structured data, so a text that
 *   begins with `- ` or `[x y="z"]` is text where its headers say that it is the sender, and else data;
 * - with another MSGID there must be structured data, or it is not syslog;
 * - `host app - text` has no process: PROCID and MSGID are one `-`.
 *
 * Undefined where it is none of these. `to` is behind its newline, if it has one.
 */
export function readSyslog(
  text: string,
  from: number,
  to: number,
  options: SyslogOptions & { heads: Heads },
): SyslogLine | undefined {
  const close = priEnd(text, from)
  if (close < 0 || text.charCodeAt(close + 1) !== 0x31) return undefined
  const end = withoutNewline(text, from, to)
  const time = close + 3
  const timeEnd = text.indexOf(' ', time)
  if (text.charCodeAt(close + 2) !== SPACE || timeEnd < 0 || timeEnd >= end) return undefined
  const line = readWords(text, timeEnd + 1, end, options)
  if (!line) return undefined
  line.pri = Number(text.slice(from + 1, close))
  if (line.pri > 191) return undefined
  readTime(line, text, time, timeEnd)
  line.has_newline = end < to
  if (to !== end + 1 || hasLeadingZero(text, from, close)) line.is_canonical = false
  return line
}

/** The index of the `>`, or -1. */
function priEnd(text: string, from: number): number {
  if (text.charCodeAt(from) !== 0x3c) return -1
  let at = from + 1
  while (at < from + 4 && text.charCodeAt(at) >= 0x30 && text.charCodeAt(at) <= 0x39) at++
  return at > from + 1 && text.charCodeAt(at) === 0x3e ? at : -1
}

function hasLeadingZero(text: string, from: number, close: number): boolean {
  return text.charCodeAt(from + 1) === 0x30 && close > from + 2
}

/** The index of the final `\n` or `\r\n` of text[from, to), or `to`. */
export function withoutNewline(text: string, from: number, to: number): number {
  if (to === from || text.charCodeAt(to - 1) !== 0x0a) return to
  return to > from + 1 && text.charCodeAt(to - 2) === 0x0d ? to - 2 : to - 1
}

function readTime(line: SyslogLine, text: string, from: number, to: number): void {
  line.time_ms = timeOf(text, from, to)
  if (!Number.isNaN(line.time_ms)) line.timestamp = text.slice(from, to)
  else if (to !== from + 1 || text.charCodeAt(from) !== HYPHEN) {
    line.has_bad_time = true
    line.is_canonical = false
  }
}

/** The end of the word at `from`: its space, or `end`; -1 where there is no word. */
function wordEnd(text: string, from: number, end: number): number {
  if (from >= end) return -1
  const space = text.indexOf(' ', from)
  if (space === from) return -1
  return space < 0 || space > end ? end : space
}

function readWords(
  text: string,
  from: number,
  end: number,
  options: SyslogOptions & { heads: Heads },
): SyslogLine | undefined {
  const app = wordEnd(text, wordEnd(text, from, end) + 1, end)
  if (app < from) return undefined
  const process = wordEnd(text, app + 1, end)
  if (process < 0) return undefined
  const msgid = wordEnd(text, process + 1, end)
  const isNilProcess = process === app + 2 && text.charCodeAt(app + 1) === HYPHEN
  const isNilMsgid = msgid === process + 2 && text.charCodeAt(process + 1) === HYPHEN
  const sd = options.is_logplex || msgid < 0 ? 0 : dataEnd(text, msgid + 1, end, !isNilMsgid)
  if (isNilMsgid || sd > 0) {
    return messageOf(options.heads, text, { from, to: msgid, data: sd > 0 ? sd : msgid, end })
  }
  if (!isNilProcess) return undefined
  const line = messageOf(options.heads, text, { from, to: process, data: process, end })
  if (line) line.is_canonical = false
  return line
}

/** The index behind structured data or its `-`; 0 where there is none. */
function dataEnd(text: string, from: number, end: number, bare: boolean): number {
  if (from >= end) return 0
  const first = text.charCodeAt(from)
  const isNil = first === HYPHEN && (from + 1 === end || text.charCodeAt(from + 1) === SPACE)
  if (isNil) return from + 1
  if (first !== 0x5b) return 0
  const length = structuredDataLength(text.slice(from, end), bare)
  return length < 0 ? 0 : from + length
}

interface Bounds {
  /** The words of the head: text[from, to). */
  from: number
  to: number
  /** Where the structured data ends; `to` where there is none. */
  data: number
  end: number
}

function messageOf(heads: Heads, text: string, at: Bounds): SyslogLine | undefined {
  if (at.to - at.from > HEAD_CHARS) return undefined
  const head = heads.of(text.slice(at.from, at.to))
  const data = at.data > at.to ? text.slice(at.to + 1, at.data) : ''
  return {
    pri: 0,
    timestamp: null,
    time_ms: NaN,
    has_bad_time: false,
    head,
    structured_data: data === '-' ? '' : data,
    message_from: Math.min(at.data + 1, at.end),
    message_to: at.end,
    has_newline: false,
    is_canonical: head.is_canonical && at.data === at.to && at.data < at.end,
  }
}
