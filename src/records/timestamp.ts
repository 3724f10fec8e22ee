import { TimestampMs } from '../contract/names.ts'

const RFC_3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,12})?([Zz]|[+-]\d\d:\d\d)$/
const EPOCH_MS = /^\d{1,16}$/

/** Does this day exist? Date.parse makes the 30th of February the 2nd of March. */
function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day))
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day
}

/**
 * Epoch milliseconds of RFC 3339 text or of a whole number, undefined for anything else. `numberOnly`
 * and its opposite keep a JSON string apart from a JSON number; a query parameter may be either.
 */
export function parseTimestamp(text: string, numberOnly?: boolean): number | undefined {
  let ms: number | undefined
  if (EPOCH_MS.test(text)) ms = numberOnly === false ? undefined : Number(text)
  else if (!numberOnly) {
    const match = RFC_3339.exec(text)
    if (match && isDay(Number(match[1]), Number(match[2]), Number(match[3]))) {
      // Milliseconds are all we keep, and V8 misreads fractions of ten digits and more.
      const whole = text
        .toUpperCase()
        .replace(' ', 'T')
        .replace(/(\.\d{3})\d+/, '$1')
      ms = Date.parse(whole)
    }
  }
  return TimestampMs.safeParse(ms).data
}
