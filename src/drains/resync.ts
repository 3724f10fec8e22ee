/** A count, and the beginning of a message behind it; sticky. */
const START = /[1-9]\d{0,14} <\d{1,3}>1 /y
/** The least that a message has in front of its `>1 `. */
const PRI_DIGITS = 3

/** The index of the first character from `from` on that is not white space. */
export function skipSpace(text: string, from: number): number {
  let at = from
  while (isSpace(text.charCodeAt(at))) at++
  return at
}

export function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}

/** Does a frame seem to begin here? */
export function isStart(text: string, at: number): boolean {
  START.lastIndex = at
  return START.test(text)
}

/** Does a frame that seems to begin here also seem to end: at another one, or with the body? */
export function hasFit(text: string, at: number): boolean {
  if (!isStart(text, at)) return false
  const space = text.indexOf(' ', at)
  const end = space + 1 + Number(text.slice(at, space))
  if (end > text.length + 1) return false
  // Newlines get lost in copying: then each count is one too large.
  return isEnd(text, end) || isEnd(text, end - 1)
}

function isEnd(text: string, at: number): boolean {
  const next = skipSpace(text, at)
  return next >= text.length || isStart(text, next)
}

/**
 * Where the next message seems to begin: at a count in front of `<PRI>1 `, or at a `<PRI>1 ` that begins a line;
 * the end of the text if nowhere. `>1 ` is what is searched for, as it is rare in text and found by memchr.
 */
export function nextStart(text: string, from: number): number {
  for (let at = text.indexOf('>1 ', from); at >= 0; at = text.indexOf('>1 ', at + 1)) {
    const pri = priStart(text, at)
    if (pri < from) continue
    const count = countStart(text, pri, from)
    if (count >= 0) return count
    if (text[pri - 1] === '\n') return pri
  }
  return text.length
}

/** Where the `<` of the `>` at `close` is, or -1. */
function priStart(text: string, close: number): number {
  let at = close - 1
  while (at > close - 1 - PRI_DIGITS && isDigit(text, at)) at--
  return at < close - 1 && text[at] === '<' ? at : -1
}

/**
 * Where the count in front of the `<` at `pri` begins, or -1. Digits of a text whose newline was lost may touch
 * it (`+0000164 <191>1`): then it begins where it leads somewhere, or else as early as it can.
 */
function countStart(text: string, pri: number, from: number): number {
  let first = -1
  let at = pri - 2
  if (text[pri - 1] !== ' ') return -1
  for (; at >= from && at > pri - 17 && isDigit(text, at); at--) if (isStart(text, at)) first = at
  if (text[at] === '\n') return first
  for (let count = first; count >= 0 && count < pri - 1; count++) {
    if (hasFit(text, count)) return count
  }
  return first
}

export function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= 0x30 && code <= 0x39
}
