import { timeMs } from '../line-time.ts'

/** A request as a router, or a proxy, has told of it. */
export interface RequestSeen {
  /** The line's own time, epoch ms; null where it has none, or none that can be read. */
  at_ms: number | null
  /** In capitals; OTHER where it is no usual one, or not told. */
  method: string
  /** As sent, with its query; '' where it is not told. */
  path: string
  /** Such as web.1; '' where no dyno was involved. */
  dyno: string
  /** Null where nobody was answered, or nobody knows what. */
  status: number | null
  service_ms: number | null
  connect_ms: number | null
  bytes: number
  /** Heroku's word for what went wrong, such as H12; '' where nothing did. */
  code: string
  protocol: string
  host: string
  tls: boolean | null
  /** What is the same in all lines that tell of this request; only where a sender writes several. */
  request: string | undefined
}

/** RFC 9110, PATCH, and what is met on the open web; anything else would let a caller choose the names of rows. */
const METHODS = new Set(
  'GET HEAD POST PUT PATCH DELETE OPTIONS CONNECT TRACE QUERY PURGE PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK REPORT SEARCH'.split(
    ' ',
  ),
)

export type Members = Readonly<Record<string, unknown>>

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function methodOf(value: unknown): string {
  if (typeof value !== 'string') return 'OTHER'
  if (METHODS.has(value)) return value
  const upper = value.length < 16 ? value.toUpperCase() : ''
  return METHODS.has(upper) ? upper : 'OTHER'
}

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** A number that is not negative, or text of one, with the unit `ms` or without. */
export function numberOf(value: unknown): number | null {
  const number =
    typeof value === 'string' && value.length < 32 && value !== ''
      ? Number(value.endsWith('ms') ? value.slice(0, -2) : value)
      : value
  return typeof number === 'number' && number >= 0 && number < Infinity ? number : null
}

/** 100 to 599; Heroku's empty status, its 0 and Vercel's -1 are no status. */
export function statusOf(value: unknown): number | null {
  const status = numberOf(value)
  return status !== null && status >= 100 && status < 600 ? Math.trunc(status) : null
}

/** From the fields of a router's line: Heroku's, or what OTLP has for them. */
export function requestOfFields(fields: Members, at_ms: number | null): RequestSeen {
  return {
    at_ms,
    method: methodOf(fields['method']),
    path: textOf(fields['path']),
    dyno: textOf(fields['dyno']),
    status: statusOf(fields['status']),
    service_ms: numberOf(fields['service']),
    connect_ms: numberOf(fields['connect']),
    bytes: numberOf(fields['bytes']) ?? 0,
    code: textOf(fields['code']),
    protocol: textOf(fields['protocol']),
    host: textOf(fields['host']),
    tls: typeof fields['tls'] === 'boolean' ? fields['tls'] : null,
    request: undefined,
  }
}

/** Epoch ms of a line's time, text or a number in any usual unit; null for anything else. */
export function lineTime(value: unknown): number | null {
  return typeof value === 'string' || typeof value === 'number'
    ? (timeMs(String(value)) ?? null)
    : null
}
