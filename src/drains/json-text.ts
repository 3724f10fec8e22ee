/** What JSON escapes in a string, but for quotes. Half surrogate pairs are not met: texts come of decoded bytes. */
const NOT_PLAIN = /[\\\u0000-\u001f]/

/** Does JSON escape nothing of this text but quotes? */
export function isPlain(text: string): boolean {
  return !NOT_PLAIN.test(text)
}

/**
 * The JSON text of a string; `plain` is what isPlain says of it. JSON.stringify takes 1 µs for a router line of
 * 290 characters (Node 20), looking and replacing quotes 0.4 µs.
 */
export function quote(text: string, plain = isPlain(text)): string {
  if (!plain) return JSON.stringify(text)
  return text.includes('"') ? `"${text.replaceAll('"', '\\"')}"` : `"${text}"`
}

const NUMBER = /^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?$/

/**
 * Whether the text of a number may stand in JSON as it is. Not so for `007`, `1e5` and what has more than 15
 * digits: those are ids more often than numbers, and would not survive a reader's double.
 */
export function isNumberText(text: string): boolean {
  const first = text.charCodeAt(0)
  return (first <= 0x39 || Number.isNaN(first)) && NUMBER.test(text)
}
