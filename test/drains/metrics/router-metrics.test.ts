import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DrainMetrics } from '../../../src/contract/drain-metrics.ts'
import { RouterMetrics, type MetricsRecord } from '../../../src/drains/metrics/router-metrics.ts'

const NOON = Date.UTC(2026, 10, 21, 12)
const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

interface Line {
  at_ms: number
  arrived_ms?: number
  path?: string
  method?: string
  dyno?: string
  status?: number | null
  service?: number | null
  connect?: number | null
  bytes?: number
  code?: string
  protocol?: string
}

function recordOf(line: Line, offset: number): MetricsRecord {
  const { at_ms, arrived_ms = at_ms, ...fields } = line
  const timestamp = new Date(at_ms).toISOString()
  const usual = { method: 'GET', path: '/', dyno: 'web.1', status: 200, service: 10, connect: 1 }
  return {
    partition: 0,
    offset,
    timestamp: arrived_ms,
    value: { kind: 'router', timestamp, fields: { ...usual, bytes: 100, ...fields } },
  }
}

function metricsOf(lines: readonly Line[], now = NOON): RouterMetrics {
  const metrics = new RouterMetrics(() => now)
  lines.forEach((line, offset) => metrics.add(recordOf(line, offset)))
  return metrics
}

/** The snapshot of an hour, checked against its schema and its own sums. */
function snapshotOf(metrics: RouterMetrics, now = NOON, window_ms = HOUR): DrainMetrics {
  const snapshot = metrics.snapshot(now, window_ms)
  expect(DrainMetrics.parse(snapshot)).toEqual(snapshot)
  const rows = [snapshot.paths, snapshot.dynos, snapshot.per_minute]
  const others = [[snapshot.other_paths], [snapshot.other_dynos], []]
  rows.forEach((of, k) => {
    expect(addUp([...of, ...others[k]!])).toEqual(addUp([snapshot]))
  })
  for (const of of [snapshot.paths, snapshot.dynos]) {
    const requests = of.map((row) => row.requests)
    expect(requests).toEqual(requests.toSorted((a, b) => b - a))
  }
  return snapshot
}

type Measures = DrainMetrics['other_paths']

/** What is above 0, summed up, and the longest times. */
function addUp(rows: readonly Measures[]): unknown {
  const sums = new Map<string, number>()
  for (const { requests, errors, bytes, statuses, codes } of rows) {
    for (const [name, count] of Object.entries({
      requests,
      errors,
      bytes,
      ...statuses,
      ...codes,
    })) {
      if (count > 0) sums.set(name, (sums.get(name) ?? 0) + count)
    }
  }
  const longest = (name: 'service_ms' | 'connect_ms') =>
    Math.max(-1, ...rows.map((row) => row[name]?.max ?? -1))
  return { sums, service: longest('service_ms'), connect: longest('connect_ms') }
}

describe('a snapshot', () => {
  it('of nothing is empty', () => {
    const nothing = {
      requests: 0,
      requests_per_s: 0,
      statuses: { none: 0, '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 },
      errors: 0,
      service_ms: null,
      connect_ms: null,
      bytes: 0,
      codes: {},
    }
    expect(snapshotOf(metricsOf([]), NOON, 5 * MINUTE)).toEqual({
      window_ms: 5 * MINUTE,
      from: NOON - 5 * MINUTE,
      to: NOON,
      ...nothing,
      websockets: 0,
      lag_ms: null,
      late: 0,
      ahead: 0,
      relative_error: 0.0078125,
      paths: [],
      other_paths: nothing,
      dynos: [],
      other_dynos: nothing,
      per_minute: [],
    })
  })

  it('has what was asked for of each request, by path, by dyno and by minute', () => {
    const at_ms = NOON - 90 * SECOND
    const metrics = metricsOf([
      { at_ms, path: '/users/1', service: 10, arrived_ms: at_ms + 200 },
      { at_ms, path: '/users/2?x', service: 30, arrived_ms: at_ms + 100 },
      { at_ms: at_ms + MINUTE, path: '/users/3', method: 'POST', dyno: 'web.2', status: 404 },
    ])
    const snapshot = snapshotOf(metrics, NOON, 2 * MINUTE)
    expect(snapshot).toMatchObject({
      requests: 3,
      requests_per_s: 0.025,
      statuses: { '2xx': 2, '4xx': 1 },
      errors: 0,
      service_ms: { p50: 10, p95: 30, p99: 30, max: 30 },
      connect_ms: { p50: 1, p95: 1, p99: 1, max: 1 },
      bytes: 300,
      lag_ms: { p95: 200, max: 200 },
      paths: [
        { method: 'GET', path: '/users/:id', requests: 2, bytes: 200 },
        { method: 'POST', path: '/users/:id', requests: 1, statuses: { '4xx': 1 } },
      ],
      dynos: [
        { dyno: 'web.1', requests: 2 },
        { dyno: 'web.2', requests: 1 },
      ],
      per_minute: [
        { minute: '2026-11-21T11:58:00Z', requests: 2 },
        { minute: '2026-11-21T11:59:00Z', requests: 1 },
      ],
    })
  })

  it.each<[string, Omit<Line, 'at_ms'>, object]>([
    [
      'a WebSocket, which has no latency',
      { status: 101, service: 3_600_000 },
      { service_ms: null, connect_ms: null, websockets: 1, statuses: { '1xx': 1 }, errors: 0 },
    ],
    [
      'a WebSocket by its protocol',
      { protocol: 'wss', status: 200 },
      { service_ms: null, websockets: 1 },
    ],
    [
      'an empty status',
      { status: null, code: 'H24' },
      { statuses: { none: 1 }, errors: 1, codes: { H24: 1 } },
    ],
    ['status 0', { status: 0 }, { statuses: { none: 1 }, errors: 1 }],
    [
      'H18 with status 200, an error all the same',
      { status: 200, code: 'H18' },
      { statuses: { '2xx': 1 }, errors: 1, codes: { H18: 1 } },
    ],
    [
      'H27, where the client left',
      { status: 499, code: 'H27' },
      { statuses: { '4xx': 1 }, errors: 0, codes: { H27: 1 }, service_ms: null },
    ],
    ['499 without a code', { status: 499 }, { errors: 0, service_ms: null }],
    [
      'H12, which took as long as it did',
      { status: 503, code: 'H12', service: 30_000, connect: null },
      { errors: 1, service_ms: { max: 30_000 }, connect_ms: null },
    ],
    ['a code that nobody knows', { code: 'X"1\n' }, { codes: { other: 1 }, errors: 1 }],
    ['500', { status: 500 }, { statuses: { '5xx': 1 }, errors: 1 }],
    [
      'no dyno',
      { dyno: '', code: 'H10', status: 503, service: null },
      { dynos: [{ dyno: null }], service_ms: null },
    ],
    ['large answers', { bytes: 9_000_000_000 }, { bytes: 9_000_000_000 }],
    [
      'a service of days',
      { service: 400_000_000 },
      { service_ms: { p50: 400_000_000, max: 400_000_000 } },
    ],
  ])('tells %s', (_, line, expected) => {
    expect(snapshotOf(metricsOf([{ at_ms: NOON - SECOND, ...line }]))).toMatchObject(expected)
  })

  it('begins with a whole bucket inside the window', () => {
    const metrics = metricsOf([])
    const now = NOON + 12_345
    const from = (window_ms: number) => snapshotOf(metrics, now, window_ms).from - NOON
    expect(from(SECOND)).toBe(12_000)
    expect(from(MINUTE)).toBe(13_000 - MINUTE)
    expect(from(5 * MINUTE)).toBe(20_000 - 5 * MINUTE)
    expect(from(10 * MINUTE)).toBe(20_000 - 10 * MINUTE)
    expect(from(HOUR)).toBe(MINUTE - HOUR)
  })
})

describe('lines', () => {
  it('out of time are told, and counted nowhere else', () => {
    const metrics = metricsOf([
      { at_ms: NOON - HOUR - 1, arrived_ms: NOON },
      { at_ms: NOON - HOUR, arrived_ms: NOON },
      { at_ms: NOON + 10_001, arrived_ms: NOON },
      { at_ms: NOON + 10_000, arrived_ms: NOON },
    ])
    expect(snapshotOf(metrics, NOON + 1)).toMatchObject({ late: 1, ahead: 1, requests: 0 })
    expect(snapshotOf(metrics, NOON + 10_001)).toMatchObject({ requests: 1 })
    expect(metrics.prometheus('d')).toContain(
      'requests_total{drain="d",method="GET",path="/",status="2xx"} 2\n',
    )
  })

  it('that are late go to where they belong', () => {
    const at_ms = NOON - 30 * MINUTE
    const metrics = metricsOf([{ at_ms: NOON }, { at_ms, arrived_ms: NOON }])
    const snapshot = snapshotOf(metrics, NOON + 1)
    expect(snapshot.per_minute.map(({ minute }) => minute)).toEqual([
      '2026-11-21T11:30:00Z',
      '2026-11-21T12:00:00Z',
    ])
    expect(snapshot.lag_ms).toEqual({ p95: 30 * MINUTE, max: 30 * MINUTE })
  })

  it('without a time count when they arrive, and have no lag', () => {
    const metrics = new RouterMetrics(() => NOON)
    metrics.add({
      partition: 0,
      offset: 0,
      timestamp: NOON - 5,
      value: { kind: 'router', timestamp: null, fields: {} },
    })
    expect(snapshotOf(metrics)).toMatchObject({ requests: 1, lag_ms: null, service_ms: null })
  })

  it('that claim to come from the future do not make the others old', () => {
    const future = NOON + 1e12
    const metrics = metricsOf([{ at_ms: future, arrived_ms: future }, { at_ms: NOON - SECOND }])
    expect(snapshotOf(metrics)).toMatchObject({ requests: 1, ahead: 1, late: 0 })
  })
})

describe('records', () => {
  it('are counted once by partition and offset', () => {
    const metrics = new RouterMetrics(() => NOON)
    const one = recordOf({ at_ms: NOON - SECOND }, 7)
    for (const partition of [0, 1, 0, 1]) metrics.add({ ...one, partition })
    metrics.add({ ...one, offset: 6 })
    expect(snapshotOf(metrics).requests).toBe(2)
    expect([...metrics.positions]).toEqual([
      [0, 7],
      [1, 7],
    ])
  })

  it('of one request of Vercel are one request', () => {
    const metrics = new RouterMetrics(() => NOON)
    const proxy = { method: 'GET', path: '/', statusCode: 200, vercelId: 'a' }
    for (let offset = 0; offset < 5; offset++) {
      const value = {
        timestamp: NOON - SECOND,
        proxy: { ...proxy, vercelId: offset < 3 ? 'a' : 'b' },
      }
      metrics.add({ partition: 0, offset, timestamp: NOON, value })
    }
    expect(snapshotOf(metrics).requests).toBe(2)
  })

  it('that tell of no request only move the position', () => {
    const metrics = new RouterMetrics(() => NOON)
    const values = [null, 1, 'x', [], {}, { kind: 'state', fields: {} }, { kind: 'router' }]
    values.forEach((value, offset) => metrics.add({ partition: 3, offset, timestamp: NOON, value }))
    expect(snapshotOf(metrics).requests).toBe(0)
    expect(metrics.positions.get(3)).toBe(6)
  })
})

const arbitraryLine: fc.Arbitrary<Line> = fc.record({
  at_ms: fc.integer({ min: NOON - HOUR + MINUTE, max: NOON - 1 }),
  path: fc.constantFrom('/', '/users/1', '/users/2', '/a', '/b?c', '/d/e/f'),
  dyno: fc.constantFrom('web.1', 'web.2', ''),
  status: fc.constantFrom(200, 302, 404, 499, 500, 101, null),
  service: fc.option(fc.nat(40_000), { nil: null }),
  connect: fc.option(fc.nat(10), { nil: null }),
  bytes: fc.nat(1_000_000),
  code: fc.constantFrom('', '', 'H12', 'H18', 'H27'),
})
const arbitraryLines = fc.array(arbitraryLine, { maxLength: 200 })

describe('whatever lines come', () => {
  it('the order of their arrival does not matter', () => {
    const shuffled = arbitraryLines.chain((lines) =>
      fc.tuple(fc.constant(lines), fc.shuffledSubarray(lines, { minLength: lines.length })),
    )
    fc.assert(
      fc.property(shuffled, ([lines, other]) => {
        // All arrive at the end, or each when it was written, so that it wanders through the buckets of each width.
        const late = lines.map((line) => ({ ...line, arrived_ms: NOON }))
        const inTime = other.toSorted((a, b) => a.at_ms - b.at_ms)
        const expected = snapshotOf(metricsOf(late))
        for (const one of [other, inTime]) {
          const snapshot = snapshotOf(metricsOf(one))
          expect({ ...snapshot, lag_ms: null }).toEqual({ ...expected, lag_ms: null })
        }
      }),
      { seed: 7070, numRuns: 60 },
    )
  })

  it('percentiles are within the error that is told', () => {
    fc.assert(
      fc.property(arbitraryLines, (lines) => {
        const { service_ms, relative_error } = snapshotOf(metricsOf(lines))
        const times = lines
          .filter(
            ({ status, code, service }) =>
              ![101, 499].includes(status!) && code !== 'H27' && service !== null,
          )
          .map(({ service }) => service!)
          .sort((a, b) => a - b)
        expect(service_ms === null).toBe(times.length === 0)
        if (!service_ms) return
        for (const [name, rank] of [
          ['p50', 0.5],
          ['p95', 0.95],
          ['p99', 0.99],
          ['max', 1],
        ] as const) {
          const exact = times[Math.ceil(rank * times.length) - 1]!
          expect(Math.abs(service_ms[name] - exact)).toBeLessThanOrEqual(relative_error * exact)
        }
      }),
      { seed: 7070, numRuns: 100 },
    )
  })

  it('a window has the lines between its ends', () => {
    fc.assert(
      fc.property(arbitraryLines, fc.integer({ min: SECOND, max: HOUR }), (lines, window_ms) => {
        const snapshot = snapshotOf(metricsOf(lines), NOON, window_ms)
        const { from } = snapshot
        expect(from).toBeGreaterThanOrEqual(NOON - window_ms)
        expect(from).toBeLessThan(NOON - window_ms + MINUTE)
        const inside = lines.filter(({ at_ms }) => at_ms >= from)
        expect(snapshot.requests).toBe(inside.length)
        expect(snapshot.bytes).toBe(inside.reduce((sum, { bytes = 0 }) => sum + bytes, 0))
      }),
      { seed: 7070, numRuns: 100 },
    )
  })
})

/** The sum of the counters of requests by path. */
function totalOf(metrics: RouterMetrics): number {
  const samples = metrics.prometheus('d').matchAll(/^tailrace_router_requests_total\{.*\} (\d+)$/gm)
  return [...samples].reduce((sum, [, count]) => sum + Number(count), 0)
}

describe('memory', () => {
  /** Words that no rule makes an id of. */
  const word = (k: number) =>
    [...k.toString(26)].map((digit) => String.fromCharCode(97 + parseInt(digit, 26))).join('')
  /** Steps through [0, 2^32) in no visible order; the same in each run. */
  const scatter = (k: number, below: number) => (Math.imul(k + 1, 0x9e3779b1) >>> 0) % below

  it('is bounded for paths and dynos that are never the same, and the heavy ones stay', () => {
    const metrics = new RouterMetrics(() => NOON)
    const count = 60_000
    for (let k = 0; k < count; k++) {
      const heavy = k % 10 === 0
      const line = {
        at_ms: NOON - HOUR + MINUTE + k * 50,
        path: heavy ? '/heavy' : `/${word(k)}/x`,
        dyno: heavy ? 'web.1' : `d${word(k)}`,
        service: scatter(k, 30_000),
      }
      metrics.add(recordOf(line, k))
    }
    expect(metrics.size.names).toBe(700)
    expect(metrics.size.bytes).toBeLessThan(8e6)
    const snapshot = snapshotOf(metrics)
    expect(snapshot.requests).toBe(count)
    expect(snapshot.paths[0]).toMatchObject({ path: '/heavy', requests: count / 10 })
    expect(snapshot.dynos[0]).toMatchObject({ dyno: 'web.1', requests: count / 10 })
    expect(snapshot.other_paths.requests).toBeGreaterThan(count * 0.85)
  })

  it('is bounded for durations that are never the same, at the cost of resolution and of light rows', () => {
    const metrics = new RouterMetrics(() => NOON)
    const count = 60_000
    for (let k = 0; k < count; k++) {
      const path = `/${word(scatter(k, 200))}/x`
      const line = {
        at_ms: NOON - 3 * SECOND,
        path,
        dyno: `web.${k % 400}`,
        service: scatter(k * 7, 40_000),
        connect: k % 300,
      }
      metrics.add(recordOf(line, k))
    }
    // One bucket, of seconds, and that of all counters.
    expect(metrics.size.entries).toBeLessThan(3_500 + 5_000)
    const { relative_error, requests, service_ms } = snapshotOf(metrics)
    expect(requests).toBe(count)
    expect(relative_error).toBeGreaterThan(0.01)
    expect(relative_error).toBeLessThanOrEqual(0.0625)
    expect(Math.abs(service_ms!.p50 - 20_000)).toBeLessThan(20_000 * (relative_error + 0.02))
  })

  it('is bounded for names that take turns, and each keeps what is its own', () => {
    const metrics = new RouterMetrics(() => NOON)
    // More than there are series of a kind: they are given out again.
    const count = 34_000
    for (let k = 0; k < count; k++) {
      const at_ms = NOON - (count - k) * MINUTE
      metrics.add(recordOf({ at_ms, path: `/${word(k)}/x`, dyno: `d${word(k)}`, bytes: k }, k))
    }
    const snapshot = snapshotOf(metrics)
    expect(snapshot.requests).toBe(60)
    const bytes = new Map(snapshot.paths.map((row) => [row.path, row.bytes]))
    for (const { dyno, bytes: ofDyno } of snapshot.dynos) {
      expect(bytes.get(`/${dyno!.slice(1)}/x`) ?? ofDyno).toBe(ofDyno)
    }
    for (let k = count - 60; k < count; k++) {
      const found = bytes.get(`/${word(k)}/x`)
      if (found !== undefined) expect(found).toBe(k)
    }
    expect(snapshot.paths.length).toBeGreaterThan(30)
    expect(totalOf(metrics)).toBe(count)
  }, 60_000)

  it('is given back after an hour', () => {
    const lines = Array.from({ length: 2000 }, (_, k) => ({
      at_ms: NOON - HOUR + k * 1000,
      service: k,
    }))
    const metrics = metricsOf(lines, NOON + 3 * HOUR)
    const before = metrics.size.entries
    metrics.add(recordOf({ at_ms: NOON + 2 * HOUR }, 5000))
    expect(metrics.size.entries).toBeLessThan(40)
    expect(before).toBeGreaterThan(2000)
    expect(snapshotOf(metrics, NOON + 2 * HOUR + 1).requests).toBe(1)
  })
})

describe('prometheus', () => {
  const lines = [
    { at_ms: NOON - SECOND, path: '/users/1', service: 250, arrived_ms: NOON },
    { at_ms: NOON - SECOND, path: '/a"\\b', dyno: '', status: 503, code: 'H10', service: null },
    { at_ms: NOON - SECOND, status: 101 },
  ]

  it('has counters by their labels, and quantiles', () => {
    const text = metricsOf(lines).prometheus('d"1\n')
    const drain = 'drain="d\\"1\\n"'
    for (const line of [
      '# TYPE tailrace_router_requests_total counter',
      `tailrace_router_requests_total{${drain},method="GET",path="/users/:id",status="2xx"} 1`,
      `tailrace_router_requests_total{${drain},method="GET",path="/a\\"\\\\b",status="5xx"} 1`,
      `tailrace_router_dyno_requests_total{${drain},dyno="",status="5xx"} 1`,
      `tailrace_router_errors_total{${drain}} 1`,
      `tailrace_router_bytes_total{${drain}} 300`,
      `tailrace_router_websockets_total{${drain}} 1`,
      `tailrace_router_codes_total{${drain},code="H10"} 1`,
      '# TYPE tailrace_router_service_seconds summary',
      `tailrace_router_service_seconds{${drain},quantile="0.5"} 0.25`,
      `tailrace_router_service_seconds_sum{${drain}} 0.25`,
      `tailrace_router_service_seconds_count{${drain}} 1`,
      `tailrace_router_lag_seconds{${drain}} 1`,
      `tailrace_router_late_total{${drain}} 0`,
    ]) {
      expect(text.split('\n')).toContain(line)
    }
  })

  it('is lines of the format, each series once, whatever was counted', () => {
    const odd = fc.record({
      at_ms: fc.integer({ min: NOON - MINUTE, max: NOON }),
      path: fc.string({ unit: 'binary' }),
      dyno: fc.string({ unit: 'binary' }),
      code: fc.string({ unit: 'binary', maxLength: 3 }),
    })
    const label = /[a-z]+="(?:[^"\\\n]|\\[\\"n])*"/.source
    const sample = new RegExp(`^[a-z_]+\\{${label}(?:,${label})*\\} (?:NaN|[\\d.e+-]+)$`)
    fc.assert(
      fc.property(fc.array(odd, { maxLength: 50 }), fc.string(), (all, drain) => {
        const text = metricsOf(all).prometheus(drain)
        expect(text.endsWith('\n')).toBe(true)
        const found = text
          .slice(0, -1)
          .split('\n')
          .filter((line) => !line.startsWith('# '))
        for (const line of found) expect(line).toMatch(sample)
        const series = found.map((line) => line.slice(0, line.lastIndexOf(' ')))
        expect(new Set(series).size).toBe(series.length)
      }),
      { seed: 7070, numRuns: 100 },
    )
  })

  it('has the same values for quantiles where nothing was timed', () => {
    expect(metricsOf([]).prometheus('d')).toContain(
      'service_seconds{drain="d",quantile="0.5"} NaN\n',
    )
  })

  it('never counts back', () => {
    const metrics = new RouterMetrics(() => NOON)
    for (let k = 0; k < 3000; k++) {
      metrics.add(recordOf({ at_ms: NOON - 2 * HOUR + k * 2000, path: `/p${k % 700}x/q` }, k))
      if (k % 500 === 0) expect(totalOf(metrics)).toBe(k + 1)
    }
    expect(totalOf(metrics)).toBe(3000)
  })
})
