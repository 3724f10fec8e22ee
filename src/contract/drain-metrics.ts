import { z } from 'zod'
import { LIMITS } from './limits.ts'
import { TimestampMs } from './names.ts'

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }
const WINDOW = /^(\d{1,9})(ms|s|m|h)?$/
const SHORTEST_WINDOW_MS = 1_000

/** The length of a window in ms: `300000`, `300s`, `5m` and `1h` are text of one; undefined where it is none, or out of bounds. */
export function windowMs(text: string): number | undefined {
  const [, number, unit = 'ms'] = WINDOW.exec(text) ?? []
  const ms = Number(number) * (UNITS[unit] ?? NaN)
  return ms >= SHORTEST_WINDOW_MS && ms <= LIMITS.metrics_window_ms ? ms : undefined
}

/** The query parameter `window`; `windowMs` reads it. */
export const MetricsWindow = z
  .string()
  .refine((text) => windowMs(text) !== undefined, 'must be from 1s to 1h: ms, or with s, m or h')
  .meta({
    description:
      'How far back from now: milliseconds, or a number with `s`, `m` or `h`; from `1s` to `1h`, the longest. Default `5m`.',
    example: '5m',
  })
export const DEFAULT_METRICS_WINDOW = '5m'

const Count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
const Ms = z.number().min(0)

const Latency = z.strictObject({ p50: Ms, p95: Ms, p99: Ms, max: Ms }).nullable().meta({
  id: 'Latency',
  description:
    'In ms: percentiles within `relative_error`, the largest exact. Null where no request has a time that counts.',
})
export type Latency = z.infer<typeof Latency>

const measures = {
  requests: Count,
  requests_per_s: z.number().min(0),
  statuses: z
    .strictObject({
      none: Count,
      '1xx': Count,
      '2xx': Count,
      '3xx': Count,
      '4xx': Count,
      '5xx': Count,
    })
    .meta({ description: 'Requests by the class of their status; `none` had no answer.' }),
  errors: Count.meta({
    description:
      'Requests that failed: a 5xx, no status, or a code (H18 comes with status 200), and not because the client left (H27, H28, 499).',
  }),
  service_ms: Latency.meta({
    description:
      'From the router’s connection to the end of the answer. Without WebSockets, and without requests that the client left.',
  }),
  connect_ms: Latency.meta({ description: 'Until the dyno took the connection.' }),
  bytes: Count,
  codes: z.record(z.string(), Count).meta({
    description:
      'How often each of Heroku’s codes came, e.g. `{"H12": 3}`; unknown ones are `other`.',
  }),
}

const Measures = z.strictObject(measures).meta({ id: 'RouterMeasures' })
export type Measures = z.infer<typeof Measures>

const PathRow = z
  .strictObject({
    method: z.string().meta({ description: '`OTHER` where it is no usual one.' }),
    path: z.string().meta({
      description:
        'What paths have in common: `/users/:id`. Empty where lines name no path; `*` at its end stands for the rest of a long one.',
      example: '/users/:id',
    }),
    ...measures,
  })
  .meta({ id: 'PathMetrics' })

const DynoRow = z
  .strictObject({
    dyno: z
      .string()
      .nullable()
      .meta({ description: 'Null: requests that no dyno saw, such as those of H10 and H14.' }),
    ...measures,
  })
  .meta({ id: 'DynoMetrics' })

const MinuteRow = z
  .strictObject({
    minute: z.string().meta({ description: 'RFC 3339; where the minute begins.' }),
    ...measures,
  })
  .meta({ id: 'MinuteMetrics' })

const OTHER = 'Requests of all that is not among the rows: those are the most frequent ones.'

/** What the requests of a drain's application were, over a window that ends now. */
export const DrainMetrics = z
  .strictObject({
    window_ms: Count.meta({ description: 'As asked for.' }),
    from: TimestampMs.meta({
      description:
        'Where the window begins: at a whole second, ten seconds (from 1 minute on) or minute (from 10 on).',
    }),
    to: TimestampMs,
    ...measures,
    websockets: Count.meta({
      description:
        'Connections that closed; one line each, when it closes. They are in `requests`.',
    }),
    lag_ms: z
      .strictObject({ p95: Ms, max: Ms })
      .nullable()
      .meta({ description: 'From the line’s time to its arrival here.' }),
    late: Count.meta({
      description:
        'Lines over an hour behind their time. Since the server began to count; nowhere else.',
    }),
    ahead: Count.meta({
      description:
        'Lines over 10 s ahead of their arrival. Since the server began to count; nowhere else.',
    }),
    relative_error: z.number().meta({
      description:
        'Of percentiles: 0.0078, and up to 0.0625 where there is very much to keep apart.',
    }),
    paths: z.array(PathRow).max(LIMITS.metrics_paths).meta({
      description: 'By method and path template, the most frequent first.',
    }),
    other_paths: Measures.meta({ description: OTHER }),
    dynos: z.array(DynoRow).max(LIMITS.metrics_dynos).meta({
      description: 'The most frequent first.',
    }),
    other_dynos: Measures.meta({ description: OTHER }),
    per_minute: z.array(MinuteRow).meta({
      description:
        'Minutes that had requests, the oldest first. The first and the last may be cut by the window.',
    }),
  })
  .meta({ id: 'DrainMetrics' })
export type DrainMetrics = z.infer<typeof DrainMetrics>

/** The answer: what was counted, and whether all of the last hour has been. */
export const DrainMetricsAnswer = DrainMetrics.extend({
  caught_up: z.boolean().meta({
    description:
      'False while this node still reads the last hour of the topic, as it does when nobody has asked for a while: the numbers grow yet.',
  }),
}).meta({ id: 'DrainMetricsAnswer' })

const MEASURES_EXAMPLE = {
  requests: 1842,
  requests_per_s: 6.14,
  statuses: { none: 0, '1xx': 0, '2xx': 1790, '3xx': 31, '4xx': 19, '5xx': 2 },
  errors: 2,
  service_ms: { p50: 21, p95: 140, p99: 610, max: 30000 },
  connect_ms: { p50: 0, p95: 1, p99: 3, max: 11 },
  bytes: 18290113,
  codes: { H12: 2 },
}
const NOTHING_EXAMPLE = {
  requests: 0,
  requests_per_s: 0,
  statuses: { none: 0, '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 },
  errors: 0,
  service_ms: null,
  connect_ms: null,
  bytes: 0,
  codes: {},
}
export const METRICS_EXAMPLE: z.infer<typeof DrainMetricsAnswer> = {
  window_ms: 300_000,
  from: 1795252670000,
  to: 1795252974170,
  ...MEASURES_EXAMPLE,
  websockets: 0,
  lag_ms: { p95: 310, max: 1204 },
  late: 0,
  ahead: 0,
  relative_error: 0.0078,
  paths: [{ method: 'GET', path: '/users/:id', ...MEASURES_EXAMPLE }],
  other_paths: NOTHING_EXAMPLE,
  dynos: [{ dyno: 'web.1', ...MEASURES_EXAMPLE }],
  other_dynos: NOTHING_EXAMPLE,
  per_minute: [{ minute: '2026-11-21T09:22:00.000Z', ...MEASURES_EXAMPLE }],
  caught_up: true,
}
