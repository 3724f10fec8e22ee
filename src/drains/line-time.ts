import { parseTimestamp } from '../records/timestamp.ts'

const DATE_LENGTH = 19
const FRACTION_DIGITS = 12
const MINUTE_MS = 60_000

/** The last day that was read: a body's lines are of one day, and Date.UTC costs as much as all the rest. */
let day = -1
let dayMs = NaN

/**
 * Epoch milliseconds of text[from, to), NaN where that is no RFC 3339 time. By hand, as the parser of requests
 * (records/timestamp.ts) takes 1.5 µs, half of what a whole line takes here. Up to twelve digits of fractions,
 * `Z` or an offset; `Z+00:00`, which Heroku's documentation prints, is none.
 */
export function timeOf(text: string, from: number, to: number): number {
  const wholeMs = dateTime(text, from)
  let at = from + DATE_LENGTH
  let ms = 0
  if (text.charCodeAt(at) === 0x2e) {
    const end = fractionEnd(text, at + 1)
    if (end === at + 1 || end > at + 1 + FRACTION_DIGITS) return NaN
    ms = thousandths(text, at + 1, end)
    at = end
  }
  return wholeMs + ms - zoneMs(text, at, to)
}

function dateTime(text: string, from: number): number {
  const separator = text.charCodeAt(from + 10) | 0x20
  if (text[from + 4] !== '-' || text[from + 7] !== '-' || separator !== 0x74) return NaN
  if (text[from + 13] !== ':' || text[from + 16] !== ':') return NaN
  const hour = two(text, from + 11)
  const minute = two(text, from + 14)
  const second = two(text, from + 17)
  if (!(hour < 24 && minute < 60 && second < 60)) return NaN
  const date = (two(text, from) * 100 + two(text, from + 2)) * 10_000
  return (
    msOfDay(date + two(text, from + 5) * 100 + two(text, from + 8)) + inDay(hour, minute, second)
  )
}

const inDay = (hour: number, minute: number, second: number) =>
  (hour * 60 + minute) * MINUTE_MS + second * 1_000

/** Of a date such as 20261121; NaN for the 30th of February. */
function msOfDay(date: number): number {
  if (date === day) return dayMs
  const made = new Date(
    Date.UTC(Math.floor(date / 10_000), (Math.floor(date / 100) % 100) - 1, date % 100),
  )
  const same =
    (made.getUTCFullYear() * 100 + made.getUTCMonth() + 1) * 100 + made.getUTCDate() === date
  day = date
  dayMs = same ? made.getTime() : NaN
  return dayMs
}

/** NaN where there are not two digits. */
function two(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 0x30
  const ones = text.charCodeAt(at + 1) - 0x30
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN
}

function fractionEnd(text: string, from: number): number {
  let at = from
  while (text.charCodeAt(at) >= 0x30 && text.charCodeAt(at) <= 0x39) at++
  return at
}

function thousandths(text: string, from: number, end: number): number {
  let sum = 0
  for (let at = from; at < from + 3; at++) {
    sum = sum * 10 + (at < end ? text.charCodeAt(at) - 0x30 : 0)
  }
  return sum
}

function zoneMs(text: string, at: number, to: number): number {
  const sign = text[at]
  if (to === at + 1) return sign === 'Z' || sign === 'z' ? 0 : NaN
  if (to !== at + 6 || text[at + 3] !== ':' || (sign !== '+' && sign !== '-')) return NaN
  const hours = two(text, at + 1)
  const minutes = two(text, at + 4)
  if (!(hours < 24 && minutes < 60)) return NaN
  return (hours * 60 + minutes) * (sign === '-' ? -MINUTE_MS : MINUTE_MS)
}

/** Numbers below each bound are in seconds, ms, us and ns: all of them are times from 1973 to 5138. */
const UNITS: readonly (readonly [bound: number, perMs: number])[] = [
  [1e11, 1e-3],
  [1e14, 1],
  [1e17, 1e3],
  [1e20, 1e6],
]

/** Epoch ms of RFC 3339 text or of a number of any usual unit; undefined for anything else. */
export function timeMs(text: string): number | undefined {
  if (/^\d[\d.eE+]*$/.test(text)) {
    const number = Number(text)
    const unit = UNITS.find(([bound]) => number < bound)
    return unit && Math.floor(number / unit[1])
  }
  const ms = timeOf(text, 0, text.length)
  // Which takes a space for the T, too.
  return ms >= 0 ? ms : parseTimestamp(text)
}
