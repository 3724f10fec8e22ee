/** Messages of OTLP as protobufjs decodes them, and as JSON.parse does; 64-bit numbers are strings or Longs. */

/** What protobufjs makes of a 64-bit integer. */
interface Long {
  low: number
  high: number
  unsigned: boolean
}
export type Whole = number | string | Long

export interface AnyValue {
  /** Bytes: the text of a log's body in protobuf. */
  stringValue?: Uint8Array | string | null
  boolValue?: boolean | null
  intValue?: Whole | null
  doubleValue?: number | string | null
  arrayValue?: { values?: readonly AnyValue[] | null } | null
  kvlistValue?: { values?: readonly KeyValue[] | null } | null
  bytesValue?: Uint8Array | string | null
}

export interface KeyValue {
  key?: string | null
  value?: AnyValue | null
}

const INTEGER = /^-?(?:0|[1-9]\d*)$/
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** The digits of an integer; undefined where it is none. */
export function digits(value: Whole | null | undefined): string | undefined {
  if (value == null) return undefined
  if (typeof value === 'object') {
    const bits = (BigInt(value.high >>> 0) << 32n) | BigInt(value.low >>> 0)
    return String(value.unsigned ? bits : BigInt.asIntN(64, bits))
  }
  const text = String(value)
  return INTEGER.test(text) ? text : undefined
}

/** A double as JSON: a number, and as text what JSON has no number for (NaN, Infinity). */
function doubleText(value: number | string): string {
  const text = Object.is(value, -0) ? '-0' : String(value)
  return NUMBER.test(text) ? text : JSON.stringify(text)
}

/** An OTLP value as plain JSON: 1 for intValue "1", base64 for bytes, null for nothing. */
export function anyText(value: AnyValue | null | undefined): string {
  if (value == null) return 'null'
  const { stringValue, boolValue, intValue, doubleValue, bytesValue } = value
  if (stringValue != null) return JSON.stringify(textOf(stringValue))
  if (boolValue != null) return String(boolValue)
  if (intValue != null) return digits(intValue) ?? JSON.stringify(intValue)
  if (doubleValue != null) return doubleText(doubleValue)
  if (value.arrayValue != null) return `[${(value.arrayValue.values ?? []).map(anyText).join(',')}]`
  if (value.kvlistValue != null) return attributesText(value.kvlistValue.values) ?? '{}'
  return bytesValue == null ? 'null' : JSON.stringify(base64(bytesValue))
}

/** Text from bytes that are meant to be UTF-8. */
export function textOf(text: Uint8Array | string): string {
  return typeof text === 'string' ? text : viewOf(text).toString()
}

function base64(bytes: Uint8Array | string): string {
  return typeof bytes === 'string' ? bytes : viewOf(bytes).toString('base64')
}

export function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** Attributes as one JSON object with typed values, in their order; undefined where there are none. */
export function attributesText(
  attributes: readonly KeyValue[] | null | undefined,
): string | undefined {
  if (attributes == null || attributes.length === 0) return undefined
  const members = attributes.map(
    ({ key, value }) => `${JSON.stringify(key ?? '')}:${anyText(value)}`,
  )
  return `{${members.join(',')}}`
}

/** The text of the string attribute of that name. */
export function attribute(
  attributes: readonly KeyValue[] | null | undefined,
  name: string,
): string | undefined {
  const text = attributes?.find(({ key }) => key === name)?.value?.stringValue
  return text == null ? undefined : textOf(text)
}

/** A trace's or span's id in hexadecimal digits; undefined where it is empty. JSON has it so already. */
export function hexId(id: Uint8Array | string | null | undefined): string | undefined {
  if (id == null || id.length === 0) return undefined
  return typeof id === 'string' ? id : viewOf(id).toString('hex')
}

/** RFC 3339 of epoch nanoseconds, all nine digits; undefined for 0, which stands for no time. */
export function nanoTime(value: Whole | null | undefined): string | undefined {
  const nanos = digits(value)
  if (nanos === undefined || nanos === '0' || nanos.startsWith('-') || nanos.length > 20) {
    return undefined
  }
  const padded = nanos.padStart(10, '0')
  const seconds = padded.slice(0, -9)
  if (seconds !== last.seconds) {
    last.seconds = seconds
    last.text = new Date(Number(seconds) * 1000).toISOString().slice(0, -5)
  }
  return `${last.text}.${padded.slice(-9)}Z`
}
/** The second that was written last: the logs of a request share few. */
const last = { seconds: '', text: '' }
