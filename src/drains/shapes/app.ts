import { LIMITS } from '../../contract/limits.ts'
import { JsonSyntaxError, skipValue } from '../../records/scan-json.ts'
import { isNumberText, quote } from '../json-text.ts'
import { keyEnd, quoteValue, readLogfmt, type Pair } from '../logfmt.ts'

/** Shapes that apps choose for their own lines. */

/** A text that is a JSON object, on one line; undefined where it is not. Its numbers and order stay as they are. */
export function jsonFields(message: string): string | undefined {
  if (message.charCodeAt(0) !== 0x7b) return undefined
  const text = message.trimEnd()
  if (!text.endsWith('}') || !isJson(text)) return undefined
  // Newlines of JSON stand between its tokens.
  return text.replaceAll('\n', ' ')
}

/** Two levels are around the fields of a record, and what is read back is nested so deep at most. */
function isJson(text: string): boolean {
  const bytes = Buffer.from(`[[${text}]]`)
  try {
    if (skipValue(bytes, 2) !== bytes.length - 2) return false
    return text.length < LIMITS.json_depth || skipValue(bytes, 0) === bytes.length
  } catch (error) {
    if (error instanceof JsonSyntaxError) return false
    throw error
  }
}

/** JSON text of a line that is nothing but `key=value`, two of them at least: numbers, booleans, null for empty. */
export function logfmtFields(message: string, is_plain: boolean): string | undefined {
  const equals = keyEnd(message, 0)
  if (equals === 0 || message.charCodeAt(equals) !== 0x3d) return undefined
  const { pairs, is_whole } = readLogfmt(message, { has_escapes: true, is_plain })
  if (!is_whole || pairs.length < 2) return undefined
  const members = pairs.map((pair) => `${quote(pair.key)}:${typed(pair)}`)
  return `{${members.join(',')}}`
}

function typed(pair: Pair): string {
  const { value } = pair
  if (pair.is_quoted) return quoteValue(pair)
  if (value === '' || value === 'null') return 'null'
  return value === 'true' || value === 'false' || isNumberText(value) ? value : quoteValue(pair)
}
