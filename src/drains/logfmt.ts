import { isPlain, quote } from './json-text.ts'

/** `key=value`, `key="quoted value"` or `key=`. */
export interface Pair {
  key: string
  value: string
  is_quoted: boolean
  /** Can the value stand in a JSON string as it is? */
  is_plain: boolean
}

/** JSON text of a value as a string; a shortcut, since nearly all are plain. */
export function quoteValue({ value, is_plain }: Pair): string {
  return is_plain ? `"${value}"` : quote(value)
}

export interface LogfmtOptions {
  /** Does `\"` in a quoted value stand for `"`? Not in the router's lines: a path may end in a backslash. */
  has_escapes: boolean
  /** What isPlain says of the text, if the caller has asked already. */
  is_plain?: boolean
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
  const reader = new Reader(text, options)
  reader.read()
  return reader
}

class Reader implements Logfmt {
  readonly pairs: Pair[] = []
  is_whole = true
  readonly #text: string
  readonly #options: LogfmtOptions
  readonly #isPlain: boolean
  /** The first quote that has not been passed. */
  #quote: number

  constructor(text: string, options: LogfmtOptions) {
    this.#text = text
    this.#options = options
    this.#isPlain = options.is_plain ?? isPlain(text)
    this.#quote = indexOrEnd(text, '"', 0)
  }

  read(): void {
    const text = this.#text
    let at = 0
    while (this.pairs.length < MOST_PAIRS) {
      while (text.charCodeAt(at) === SPACE) at++
      if (at >= text.length) return
      const equals = keyEnd(text, at)
      if (text.charCodeAt(equals) === EQUALS && equals > at && equals - at <= KEY_CHARS) {
        at = this.#readValue(text.slice(at, equals), equals + 1)
      } else {
        this.is_whole = false
        at = indexOrEnd(text, ' ', Math.max(equals, at + 1))
      }
    }
    this.is_whole = false
  }

  #readValue(key: string, start: number): number {
    const text = this.#text
    if (text.charCodeAt(start) === QUOTE) {
      const close = quoteEnd(text, start + 1, this.#options)
      if (close >= 0) {
        const value = this.#unquoted(text.slice(start + 1, close))
        this.#add({ key, value, is_quoted: true, is_plain: this.#isPlain })
        return close + 1
      }
    }
    const end = indexOrEnd(text, ' ', start)
    if (this.#quote < start) this.#quote = indexOrEnd(text, '"', start)
    const plain = this.#isPlain && this.#quote >= end
    this.#add({ key, value: text.slice(start, end), is_quoted: false, is_plain: plain })
    return end
  }

  #unquoted(inside: string): string {
    return !this.#isPlain && this.#options.has_escapes && inside.includes('\\')
      ? unescape(inside)
      : inside
  }

  #add(pair: Pair): void {
    for (const { key } of this.pairs) {
      if (key.length === pair.key.length && key === pair.key) return
    }
    this.pairs.push(pair)
  }
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

function indexOrEnd(text: string, char: string, from: number): number {
  const at = text.indexOf(char, from)
  return at < 0 ? text.length : at
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
