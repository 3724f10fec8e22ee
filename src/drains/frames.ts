import { hasFit, isDigit, isSpace, isStart, nextStart, skipSpace } from './resync.ts'

/** Where one message lies in a body: all of them together cover the body without a hole. */
export interface Frame {
  /** Its prefix, which is its octet count and a space where the sender gave one: text[from, start). */
  from: number
  /** The message: text[start, end). */
  start: number
  end: number
  /** White space behind it that no count covers: text[end, to). */
  to: number
  /** Is the message as long as its count says? */
  is_counted: boolean
}

/** Longer runs of digits are no counts: a body has at most nine digits of octets. */
const COUNT_DIGITS = 15

/**
 * Splits a body by octet counts (RFC 6587, section 3.4.1). `text` is the body as latin1, so that an index is
 * an octet; a count allocates nothing, whatever it says.
 *
 * If the counts lead from message to message up to the end, they are believed. Otherwise each is judged by
 * what stands where it leads, and where it lies the next plausible beginning is looked for (resync.ts). What
 * is not framed at all is cut where a line begins like a message, and kept.
 */
export function splitFrames(text: string): Frame[] {
  return countedFrames(text) ?? judgedFrames(text)
}

/**
 * Bodies of nothing but tiny frames would make a hundred times their size of records; from here on the rest
 * is one message. A line of 48 octets is shorter than an empty one of Logplex.
 */
function mostFrames(text: string): number {
  return 2_000 + text.length / 48
}

function countedFrames(text: string): Frame[] | undefined {
  const frames: Frame[] = []
  const most = mostFrames(text)
  for (let at = 0; at < text.length;) {
    const start = countEnd(text, skipSpace(text, at))
    const end = start + counted
    if (start < 0 || end > text.length || frames.length > most) return undefined
    const to = skipSpace(text, end)
    frames.push({ from: at, start, end, to, is_counted: true })
    at = to
  }
  return frames
}

/** What the last call of countEnd read: returning two numbers would cost an object a line. */
let counted = 0

/** The index behind a count and its space, or -1. Counts have no leading zeros. */
function countEnd(text: string, from: number): number {
  let at = from
  counted = 0
  for (; at < from + COUNT_DIGITS; at++) {
    const digit = text.charCodeAt(at) - 0x30
    if (!(digit >= 0 && digit <= 9)) break
    counted = counted * 10 + digit
  }
  if (at === from || text.charCodeAt(at) !== 0x20) return -1
  return at > from + 1 && text[from] === '0' ? -1 : at + 1
}

function judgedFrames(text: string): Frame[] {
  const frames: Frame[] = []
  const most = mostFrames(text)
  for (let at = 0; at < text.length;) {
    const frame = frames.length < most ? judgedFrame(text, at) : restOf(text, at)
    frames.push(frame)
    at = frame.to
  }
  return frames
}

function restOf(text: string, from: number): Frame {
  return { from, start: from, end: text.length, to: text.length, is_counted: false }
}

function judgedFrame(text: string, from: number): Frame {
  const first = skipSpace(text, from)
  const start = countEnd(text, first)
  const end = start + counted
  if (start < 0) return upToNext(text, from, text[first] === '<' ? first : from)
  if (isBelievable(text, start, end)) {
    return { from, start, end, to: skipSpace(text, end), is_counted: true }
  }
  // Digits in front of what is no message are not a count but part of the text.
  return upToNext(text, from, text[start] === '<' ? start : from)
}

/** Does a message that begins at `start` end at `end`? */
function isBelievable(text: string, start: number, end: number): boolean {
  if (end > text.length) return false
  const next = skipSpace(text, end)
  if (next === text.length) return true
  if (isStart(text, next)) return next > end || !cutsCount(text, start, end)
  return text[end - 1] === '\n' && end > start
}

/**
 * `…erlang70 <174>1 …` where a newline was lost: a count that is one too large takes a digit of the next one,
 * and what is left looks like a count, too. The one that leads somewhere is right.
 */
function cutsCount(text: string, start: number, end: number): boolean {
  if (hasFit(text, end)) return false
  let at = end - 1
  for (; at >= start && isDigit(text, at) && at > end - COUNT_DIGITS; at--) {
    if (hasFit(text, at)) return true
  }
  // Digits that begin a line, and go on as a count, are one.
  return at < end - 1 && text[at] === '\n'
}

/** The message at `start` without a believable count: up to where the next one begins. */
function upToNext(text: string, from: number, start: number): Frame {
  const to = nextStart(text, start + 1)
  return { from, start, end: messageEnd(text, start, to), to, is_counted: false }
}

/** Of the white space at the end of text[start, to) the first newline belongs to the message. */
function messageEnd(text: string, start: number, to: number): number {
  let at = to
  let end = to
  while (at > start && isSpace(text.charCodeAt(at - 1))) {
    at--
    if (text[at] === '\n') end = at + 1
  }
  // A body of white space only is a message as well: there is no other to keep it.
  return at === start ? to : end
}
