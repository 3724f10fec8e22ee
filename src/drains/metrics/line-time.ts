import { parseTimestamp } from '../../records/timestamp.ts'

const ZONE = /(?:Z|[+-]\d\d:\d\d)$/
const ZERO = 0x30
const COLON = 0x3a
const DOT = 0x2e
const MINUTE_CHARS = 16

/**
 * Epoch ms of a line's timestamp: RFC 3339 text, epoch ms, or epoch ns as OTLP writes them; null for anything else.
 * Lines come in order, so the minute is nearly always that of the line before, and only the rest is read.
 */
export class LineTime {
  #minute = '-'
  #zone = ''
  #minute_ms = 0

  read(value: unknown): number | null {
    if (typeof value === 'number') return asTime(value)
    if (typeof value !== 'string' || value.length > 40) return null
    if (value.startsWith(this.#minute) && value.endsWith(this.#zone)) {
      const ms = msInMinute(value, value.length - this.#zone.length)
      if (ms !== undefined) return this.#minute_ms + ms
    }
    return this.#readWhole(value)
  }

  #readWhole(text: string): number | null {
    const ms = /^\d{10,20}$/.test(text) ? (asTime(Number(text)) ?? undefined) : parse(text)
    const zone = ZONE.exec(text)?.[0]
    const minute = text.slice(0, MINUTE_CHARS)
    const minute_ms = zone === undefined ? undefined : parse(`${minute}:00${zone}`)
    if (zone !== undefined && minute_ms !== undefined) {
      this.#zone = zone
      this.#minute = minute
      this.#minute_ms = minute_ms
    }
    return ms ?? null
  }
}

/** Ms of `:23.622778` between the minute and the zone; undefined where something else stands there. */
function msInMinute(text: string, end: number): number | undefined {
  const tens = text.charCodeAt(17) - ZERO
  const ones = text.charCodeAt(18) - ZERO
  if (text.charCodeAt(16) !== COLON || !isDigit(tens) || tens > 5 || !isDigit(ones))
    return undefined
  let ms = (tens * 10 + ones) * 1000
  if (end === 19) return ms
  if (text.charCodeAt(19) !== DOT || end === 20) return undefined
  let weight = 100
  for (let at = 20; at < end; at++) {
    const digit = text.charCodeAt(at) - ZERO
    if (!isDigit(digit)) return undefined
    ms += digit * weight
    weight = Math.trunc(weight / 10)
  }
  return ms
}

const isDigit = (digit: number): boolean => digit >= 0 && digit <= 9

const parse = (text: string): number | undefined => parseTimestamp(text, false)

/** From the year 2255 on a number is nanoseconds. */
function asTime(value: number): number | null {
  const ms = value < 9e12 ? value : value / 1e6
  return ms >= 0 && ms < 9e12 ? Math.trunc(ms) : null
}
