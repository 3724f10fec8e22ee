import { BINS } from './quantiles.ts'
import type { RequestSeen } from './request-seen.ts'

/**
 * The numbers of a series (all requests, those of a path, those of a dyno), by their place in its keys of a Counts:
 * key = series * FIELDS + field. Up to 2^16 series fit into keys below 2^28, which are small integers to V8.
 */
export const FIELDS = 4096

/** 0 is no status, then 1xx to 5xx; together they are the requests. */
export const STATUSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const
export const FIELD = {
  bytes: 6,
  errors: 7,
  service_max: 8,
  connect_max: 9,
  lag_max: 10,
  service_count: 11,
  service_sum: 12,
  connect_count: 13,
  connect_sum: 14,
  websockets: 15,
  /** H00 to H99 from here on, then all other codes. */
  codes: 32,
  other_codes: 132,
  service: 256,
  connect: 256 + BINS,
  lag: 256 + 2 * BINS,
} as const
/** Where histograms begin; each has BINS fields. */
const HISTOGRAMS = FIELD.service

export const isMax = (field: number): boolean =>
  field >= FIELD.service_max && field <= FIELD.lag_max
export const isBin = (field: number): boolean => field >= HISTOGRAMS
/** Where the histogram of this bin begins. */
export const histogramOf = (field: number): number => field - ((field - HISTOGRAMS) % BINS)

/** Series that are always there. Further ones are even for paths and odd for dynos. */
export const ALL = 0
export const OTHER_PATHS = 2
export const OTHER_DYNOS = 3
export const FIRST_SERIES = 4
export const SERIES = 2 ** 16
export const isPath = (series: number): boolean => series !== ALL && series % 2 === 0
export const otherOf = (series: number): number => (series % 2 === 0 ? OTHER_PATHS : OTHER_DYNOS)

/** What is counted of a request. Durations are -1 where they do not count. */
export interface Measured {
  status: number
  bytes: number
  code: number
  error: boolean
  websocket: boolean
  service_ms: number
  connect_ms: number
  lag_ms: number
}

/** The client went away before (H27) or stayed silent (H28): not the application's failure. */
const CLIENTS_OWN = new Set(['H27', 'H28'])
const WEBSOCKET = /^(?:wss?|websocket)$/i
const CODE = /^H\d\d$/

/**
 * What counts of a request that arrived at this time. The traps of router lines:
 * - A WebSocket (101, or its protocol) has one line, when it closes, whose times are its whole life: no latency.
 * - H27 and 499: the client left, and the times say when it did, not how long an answer takes: no latency, no error.
 * - H18 comes with status 200: the client got half an answer. Every other code is an error, whatever the status.
 * - An empty status (H24), 0 and -1 are `none`: nobody was answered, an error as well.
 */
export function measure(seen: RequestSeen, arrived_ms: number): Measured {
  const { status, code } = seen
  const websocket = status === 101 || WEBSOCKET.test(seen.protocol)
  const left = status === 499 || CLIENTS_OWN.has(code)
  const timed = !websocket && !left
  return {
    status: Math.trunc((status ?? 0) / 100),
    bytes: seen.bytes,
    code: code === '' ? 0 : codeField(code),
    error: !left && isFailure(seen),
    websocket,
    service_ms: timed ? (seen.service_ms ?? -1) : -1,
    connect_ms: timed ? (seen.connect_ms ?? -1) : -1,
    lag_ms: seen.at_ms === null ? -1 : Math.max(0, arrived_ms - seen.at_ms),
  }
}

function isFailure({ status, code }: RequestSeen): boolean {
  return code !== '' || status === null || status >= 500
}

function codeField(code: string): number {
  return CODE.test(code) ? FIELD.codes + Number(code.slice(1)) : FIELD.other_codes
}
