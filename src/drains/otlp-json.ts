/* eslint-disable @typescript-eslint/no-non-null-assertion -- indexes stay inside a text that the scanner passed */
import protobuf from 'protobufjs/light.js'
import * as json from '../records/scan-json.ts'

const MINUS = 0x2d
/** Every number of up to 15 characters without an exponent is the same after JSON.parse and String. */
const EXACT_CHARS = 15

/**
 * JSON.parse that loses no digits: numbers that it would round or that are too large become strings, which is what
 * OTLP's JSON has in their place anyway. The bytes must be JSON (skipValue has passed over them).
 */
export function parseKeepingDigits(bytes: Buffer): unknown {
  const parts: string[] = []
  let done = 0
  for (let at = 0; at < bytes.length;) {
    const byte = bytes[at]!
    if (byte === json.QUOTE) at = json.skipString(bytes, at)
    else if (byte !== MINUS && !(byte >= 0x30 && byte <= 0x39)) at++
    else {
      const end = json.skipValue(bytes, at)
      if (!isExact(bytes, at, end)) {
        parts.push(bytes.toString('utf8', done, at), `"${bytes.toString('latin1', at, end)}"`)
        done = end
      }
      at = end
    }
  }
  if (parts.length === 0) return JSON.parse(bytes.toString())
  return JSON.parse(parts.join('') + bytes.toString('utf8', done))
}

function isExact(bytes: Buffer, from: number, to: number): boolean {
  if (to - from > EXACT_CHARS) return false
  for (let at = from; at < to; at++) if ((bytes[at]! | 0x20) === 0x65) return false
  return true
}

const NUMBER_TEXT = /^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|NaN|-?Infinity)$/

/**
 * Where parsed JSON is not of the shape of an OTLP message, as a path and what is wanted there; undefined if it is.
 * Members that the schema does not know are passed over, null is absence, 64-bit numbers may be strings.
 */
export function shapeProblem(type: protobuf.Type, value: unknown, path = ''): string | undefined {
  if (!isObject(value)) return `${path || 'the body'} must be an object`
  for (const field of type.fieldsArray) {
    const member = Object.hasOwn(value, field.name) ? value[field.name] : null
    const at = path ? `${path}.${field.name}` : field.name
    if (member === null) continue
    const problem = field.repeated ? listProblem(field, member, at) : oneProblem(field, member, at)
    if (problem !== undefined) return problem
  }
  return undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function listProblem(field: protobuf.Field, list: unknown, path: string): string | undefined {
  if (!Array.isArray(list)) return `${path} must be an array`
  for (const [index, member] of list.entries()) {
    const problem = oneProblem(field, member, `${path}[${index}]`)
    if (problem !== undefined) return problem
  }
  return undefined
}

function oneProblem(field: protobuf.Field, value: unknown, path: string): string | undefined {
  if (field.resolvedType instanceof protobuf.Type) {
    return shapeProblem(field.resolvedType, value, path)
  }
  if (field.type === 'bool')
    return typeof value === 'boolean' ? undefined : `${path} must be true or false`
  if (field.type === 'string' || field.type === 'bytes') {
    return typeof value === 'string' ? undefined : `${path} must be a string`
  }
  const isNumber =
    typeof value === 'number' || (typeof value === 'string' && NUMBER_TEXT.test(value))
  return isNumber ? undefined : `${path} must be a number`
}
