import * as json from './scan-json.ts'

/** What a record's value is, taken from its stored line. */
export type RawValue = { bytes: Buffer } | 'null' | 'no_utf8_form'

/**
 * The value of a stored line as bytes: those that were sent, the text of a JSON string, the JSON text of
 * anything else. A JSON string with half a surrogate pair has no UTF-8 form.
 */
export function rawValue(line: Buffer): RawValue {
  let found: RawValue = 'null'
  json.eachMember(line, 0, (nameStart, nameEnd, valueStart) => {
    const end = json.skipValue(line, valueStart)
    const name = line.toString('latin1', nameStart + 1, nameEnd - 1)
    if (name === 'value_base64')
      found = { bytes: Buffer.from(line.toString('latin1', valueStart + 1, end - 1), 'base64') }
    if (name === 'value') found = jsonBytes(line.subarray(valueStart, end))
    return end
  })
  return found
}

function jsonBytes(text: Buffer): RawValue {
  if (text[0] !== json.QUOTE) return text.equals(NULL) ? 'null' : { bytes: text }
  const string = JSON.parse(text.toString()) as string
  return string.isWellFormed() ? { bytes: Buffer.from(string) } : 'no_utf8_form'
}
const NULL = Buffer.from('null')
