import { parseTimestamp } from '../../records/timestamp.ts'

/** `2022-06-13T14:52:23.622778+00:00`: date and time to the minute, seconds, fraction, zone. */
const SHAPE = /^(.{16}):([0-5]\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/

/**
 * Epoch ms of a line's timestamp: RFC 3339 text, epoch ms, or epoch ns as OTLP writes them; null for anything else.
 * Lines come in order, so the minute is nearly always that of the line before: 0.1 us instead of 1.5.
 */
export class LineTime {
  #minute = ''
  #zone = ''
  #minute_ms: number | undefined

  read(value: unknown): number | null {
    if (typeof value === 'number') return asTime(value)
    if (typeof value !== 'string' || value.length > 40) return null
    const match = SHAPE.exec(value)
    if (!match) return /^\d{10,20}$/.test(value) ? asTime(Number(value)) : (parse(value) ?? null)
    const [, minute = '', seconds, fraction = '', zone = ''] = match
    if (minute !== this.#minute || zone !== this.#zone) this.#remember(minute, zone)
    if (this.#minute_ms === undefined) return null
    return this.#minute_ms + Number(seconds) * 1000 + Number(fraction.slice(0, 3).padEnd(3, '0'))
  }

  #remember(minute: string, zone: string): void {
    this.#minute_ms = parse(`${minute}:00${zone}`)
    this.#minute = minute
    this.#zone = zone
  }
}

const parse = (text: string): number | undefined => parseTimestamp(text, false)

/** From the year 2255 on a number is nanoseconds. */
function asTime(value: number): number | null {
  const ms = value < 9e12 ? value : value / 1e6
  return ms >= 0 && ms < 9e12 ? Math.trunc(ms) : null
}
