import type { DrainMetrics, Latency } from '../../contract/drain-metrics.ts'
import { ALL, FIELD, isPath, OTHER_DYNOS, otherOf, STATUSES } from './fields.ts'
import { splitPath } from './snapshot.ts'
import { Tally } from './tally.ts'
import type { Window } from './window.ts'

type Labels = readonly (readonly [name: string, value: string])[]
type Sample = readonly [labels: Labels, value: number, suffix?: string]

/** What one drain has for one scrape. */
export interface Scraped {
  drain: string
  window: Window
  /** Quantiles are of this. */
  recent: DrainMetrics
}

interface Family {
  name: string
  type: 'counter' | 'gauge' | 'summary'
  help: string
  samples: (scraped: Scraped, since: Since) => Sample[]
}

/** Tallies of a drain since it is counted, by series. */
type Since = ReadonlyMap<number, Tally>

/** No path and no dyno is called so. */
const OTHER = '(other)'

const QUANTILES = [
  ['0.5', 'p50'],
  ['0.95', 'p95'],
  ['0.99', 'p99'],
] as const

const FAMILIES: readonly Family[] = [
  {
    name: 'tailrace_router_requests_total',
    type: 'counter',
    help: 'Requests by method, path template and class of status; path "(other)" is what has no series of its own.',
    samples: ({ window }, since) =>
      byStatus(since, true, (series) => pathLabels(window.paths.nameOf(series))),
  },
  {
    name: 'tailrace_router_dyno_requests_total',
    type: 'counter',
    help: 'Requests by dyno and class of status; dyno "" is requests that no dyno saw.',
    samples: ({ window }, since) =>
      byStatus(since, false, (series) => [['dyno', window.dynos.nameOf(series) ?? OTHER]]),
  },
  counter(
    'errors',
    'Requests that failed: a 5xx, no status, or a code that is not the client’s.',
    FIELD.errors,
  ),
  counter('bytes', 'Bytes of answers.', FIELD.bytes),
  counter('websockets', 'WebSocket connections that closed.', FIELD.websockets),
  {
    name: 'tailrace_router_codes_total',
    type: 'counter',
    help: 'Heroku’s error codes, such as H12.',
    samples: (_, since) =>
      Object.entries(since.get(ALL)?.codes() ?? {}).map(([code, count]) => [
        [['code', code]],
        count,
      ]),
  },
  {
    name: 'tailrace_router_late_total',
    type: 'counter',
    help: 'Lines that came over an hour after their time, and are counted nowhere else.',
    samples: ({ window }) => [[[], window.late]],
  },
  {
    name: 'tailrace_router_ahead_total',
    type: 'counter',
    help: 'Lines with a time that had not come, and are counted nowhere else.',
    samples: ({ window }) => [[[], window.ahead]],
  },
  summary(
    'service',
    'From the router’s connection to the end of the answer; quantiles of the last 5 minutes.',
  ),
  summary('connect', 'Until the dyno took the connection; quantiles of the last 5 minutes.'),
  {
    name: 'tailrace_router_lag_seconds',
    type: 'gauge',
    help: 'From a line’s time to its arrival, 95th percentile of the last 5 minutes.',
    samples: ({ recent }) => (recent.lag_ms ? [[[], recent.lag_ms.p95 / 1000]] : []),
  },
]

/**
 * Prometheus' text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats), of any number of drains.
 * Counters count since the process reads the drain: from 0, or with the last hour in them, after each restart. A path
 * that is displaced by a heavier one loses its series, and its count goes to `(other)`.
 */
export function prometheusOf(drains: readonly Scraped[]): string {
  const read = drains.map((scraped) => [scraped, sinceOf(scraped.window)] as const)
  return FAMILIES.map(({ name, type, help, samples }) => {
    const lines = read.flatMap(([scraped, since]) =>
      samples(scraped, since).map(([labels, value, suffix = '']) =>
        sampleLine(name + suffix, [['drain', scraped.drain], ...labels], value),
      ),
    )
    return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
  }).join('')
}

function counter(name: string, help: string, field: number): Family {
  return {
    name: `tailrace_router_${name}_total`,
    type: 'counter',
    help,
    samples: (_, since) => [[[], since.get(ALL)?.of(field) ?? 0]],
  }
}

function summary(what: 'service' | 'connect', help: string): Family {
  return {
    name: `tailrace_router_${what}_seconds`,
    type: 'summary',
    help,
    samples: ({ recent }, since) => [
      ...quantiles(recent[`${what}_ms`]),
      [[], (since.get(ALL)?.of(FIELD[`${what}_sum`]) ?? 0) / 1000, '_sum'],
      [[], since.get(ALL)?.of(FIELD[`${what}_count`]) ?? 0, '_count'],
    ],
  }
}

function quantiles(latency: Latency): Sample[] {
  return QUANTILES.map(([quantile, name]) => [
    [['quantile', quantile]],
    latency ? latency[name] / 1000 : NaN,
  ])
}

function sinceOf(window: Window): Since {
  const since = new Map<number, Tally>()
  window.since.each((series, field, value) => {
    const shown = series <= OTHER_DYNOS || window.isAlive(series) ? series : otherOf(series)
    let tally = since.get(shown)
    if (!tally) since.set(shown, (tally = new Tally()))
    tally.take(field, value, window.since.bits)
  })
  return since
}

/** A sample for each class of status that each series of a kind has. */
function byStatus(since: Since, paths: boolean, labelsOf: (series: number) => Labels): Sample[] {
  return [...since]
    .filter(([series]) => series !== ALL && isPath(series) === paths)
    .sort(([a], [b]) => a - b)
    .flatMap(([series, tally]) =>
      STATUSES.map((status, field): Sample => [
        [...labelsOf(series), ['status', status]],
        tally.of(field),
      ]).filter(([, count]) => count > 0),
    )
}

function pathLabels(name: string | undefined): Labels {
  const { method, path } = name === undefined ? { method: '', path: OTHER } : splitPath(name)
  return [
    ['method', method],
    ['path', path],
  ]
}

function sampleLine(name: string, labels: Labels, value: number): string {
  const pairs = labels.map(([label, text]) => `${label}="${escaped(text)}"`)
  return `${name}{${pairs.join(',')}} ${value}\n`
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' }

/** Backslash, quote and newline, as the format wants it. */
function escaped(text: string): string {
  return text.replace(/[\\"\n]/g, (char) => ESCAPES[char] ?? '')
}
