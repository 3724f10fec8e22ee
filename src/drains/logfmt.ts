/** `key=value`, `key="quoted value"` or `key=`. */
export interface Pair {
  key: string
  value: string
  is_quoted: boolean
}

export interface LogfmtOptions {
  /** Does `\"` in a quoted value stand for `"`? Not in the router's lines: a path may end in a backslash. */
  has_escapes: boolean
}

/** Of a line with more pairs, or with keys that long, nobody makes columns. */
const MOST_PAIRS = 128
const KEY_CHARS = 128
const QUOTE = 0x22
const SPACE = 0x20
const EQUALS = 0x3d

/** What the text of a line is besides its pairs. */
export interface Logfmt {
  /** The first of each key; in their order. */
  pairs: Pair[]
  /** Is there nothing but pairs? */
  is_whole: boolean
}

/**
 * Reads logfmt (brandur.org/logfmt; there is no standard) in one pass, by hand: a quoted value may hold
 * anything but its quote, spaces of a path and `=` among them. Words without `=` are passed over.
 */
export function readLogfmt(text: string, options: LogfmtOptions): Logfmt {
  const read: Logfmt = { pairs: [], is_whole: true }
  let at = 0
  while (read.pairs.length < MOST_PAIRS) {
    while (text.charCodeAt(at) === SPACE) at++
    if (at >= text.length) return read
    const equals = keyEnd(text, at)
    if (text.charCodeAt(equals) === EQUALS && equals > at && equals - at <= KEY_CHARS) {
      at = readValue(text, at, equals, read, options)
    } else {
      read.is_whole = false
      at = wordEnd(text, Math.max(equals, at + 1))
    }
  }
  read.is_whole = false
  return read
}

/** The index of the `=`, space, quote or end that ends the key at `from`. */
export function keyEnd(text: string, from: number): number {
  let at = from
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code <= SPACE || code === EQUALS || code === QUOTE) break
  }
  return at
}

function wordEnd(text: string, from: number): number {
  const space = text.indexOf(' ', from)
  return space < 0 ? text.length : space
}

function readValue(
  text: string,
  from: number,
  equals: number,
  into: Logfmt,
  options: LogfmtOptions,
): number {
  const key = text.slice(from, equals)
  const start = equals + 1
  const close = text.charCodeAt(start) === QUOTE ? quoteEnd(text, start + 1, options) : -1
  if (close >= 0) {
    const inside = text.slice(start + 1, close)
    const value = options.has_escapes && inside.includes('\\') ? unescape(inside) : inside
    add(into, { key, value, is_quoted: true })
    return close + 1
  }
  const end = wordEnd(text, start)
  add(into, { key, value: text.slice(start, end), is_quoted: false })
  return end
}

function quoteEnd(text: string, from: number, { has_escapes }: LogfmtOptions): number {
  let close = text.indexOf('"', from)
  while (has_escapes && close >= 0 && isEscaped(text, close)) close = text.indexOf('"', close + 1)
  return close
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0
  while (text[at - 1 - backslashes] === '\\') backslashes++
  return backslashes % 2 === 1
}

/** Go's writers escape as JSON does. */
function unescape(inside: string): string {
  try {
    const text = JSON.parse(`"${inside}"`) as string
    return text.isWellFormed() ? text : inside
  } catch {
    return inside
  }
}

function add(into: Logfmt, pair: Pair): void {
  for (const { key } of into.pairs) if (key === pair.key) return
  into.pairs.push(pair)
}
