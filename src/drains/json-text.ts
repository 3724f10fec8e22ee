/** What JSON escapes in a string. Half surrogate pairs are not met: texts here come from decoded bytes. */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const ESCAPED = /["\\\u0000-\u001f]/

/**
 * The JSON text of a string. Most lines need no escapes, and looking costs a third of JSON.stringify's call;
 * the result then is one byte longer at each end than the text, which callers may use to tell.
 */
export function quote(text: string): string {
  return ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`
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
