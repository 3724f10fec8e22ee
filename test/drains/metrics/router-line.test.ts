import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lineTime } from '../../../src/drains/metrics/request-seen.ts'
import { requestOf } from '../../../src/drains/metrics/router-line.ts'

const NOON = Date.UTC(2026, 10, 21, 12)
const read = requestOf

const LINE = {
  timestamp: '2026-11-21T12:00:00.250999+00:00',
  facility: 'local3',
  severity: 'info',
  app: 'heroku',
  process: 'router',
  message: 'at=info ...',
  kind: 'router',
  fields: {
    at: 'info',
    method: 'GET',
    path: '/users/1?x=2',
    host: 'a.example.com',
    dyno: 'web.1',
    connect: 1,
    service: 30,
    status: 200,
    bytes: 512,
    protocol: 'http1.1',
    tls: true,
  },
}
const SEEN = {
  at_ms: NOON + 250,
  method: 'GET',
  path: '/users/1?x=2',
  dyno: 'web.1',
  status: 200,
  service_ms: 30,
  connect_ms: 1,
  bytes: 512,
  code: '',
  protocol: 'http1.1',
  host: 'a.example.com',
  tls: true,
  request: undefined,
}
const withFields = (fields: object) => ({ ...LINE, fields: { ...LINE.fields, ...fields } })

describe('a router line of Heroku', () => {
  it('is read', () => {
    expect(read(LINE)).toEqual(SEEN)
  })

  it.each([
    [
      { code: 'H12', status: 503, connect: null },
      { code: 'H12', status: 503, connect_ms: null },
    ],
    [
      { status: null, bytes: null, dyno: null },
      { status: null, bytes: 0, dyno: '' },
    ],
    [{ status: 0 }, { status: null }],
    [{ status: 99 }, { status: null }],
    [{ status: 600 }, { status: null }],
    [
      { status: '204', service: '12ms', connect: '0', bytes: '7' },
      { status: 204, service_ms: 12, connect_ms: 0, bytes: 7 },
    ],
    [
      { service: -1, bytes: -5 },
      { service_ms: null, bytes: 0 },
    ],
    [
      { service: 'soon', connect: {} },
      { service_ms: null, connect_ms: null },
    ],
    [{ method: 'get' }, { method: 'GET' }],
    [{ method: 'BREW' }, { method: 'OTHER' }],
    [
      { method: null, path: null, host: null },
      { method: 'OTHER', path: '', host: '' },
    ],
    [{ tls: 'yes' }, { tls: null }],
  ])('with %j has %j', (fields, expected) => {
    expect(read(withFields(fields))).toEqual({ ...SEEN, ...expected })
  })

  it('has no time where the line has none', () => {
    expect(read({ ...LINE, timestamp: null })).toEqual({ ...SEEN, at_ms: null })
  })
})

describe('an event of Vercel', () => {
  const proxy = {
    timestamp: NOON + 100,
    method: 'POST',
    host: 'my-app.vercel.app',
    path: '/api/users?page=1',
    statusCode: 201,
    scheme: 'https',
    responseByteSize: 1024,
    vercelId: 'sfo1::abc-1',
  }
  const event = { id: '1', source: 'lambda', timestamp: NOON + 211, requestId: 'r-1', proxy }

  it('is read', () => {
    expect(read(event)).toEqual({
      ...SEEN,
      at_ms: NOON + 100,
      method: 'POST',
      path: '/api/users?page=1',
      dyno: '',
      status: 201,
      service_ms: null,
      connect_ms: null,
      bytes: 1024,
      protocol: 'https',
      host: 'my-app.vercel.app',
      request: 'sfo1::abc-1',
    })
  })

  it('has its own time and its request where the proxy has none', () => {
    const { vercelId: _, timestamp: __, ...rest } = proxy
    expect(read({ ...event, proxy: rest })).toMatchObject({ at_ms: NOON + 211, request: 'r-1' })
  })

  it('of a function that crashed has no status, and of a revalidation in the background is none', () => {
    const failed = { ...proxy, statusCode: -1 }
    expect(read({ ...event, statusCode: -1, proxy: failed })).toMatchObject({ status: null })
    expect(read({ ...event, statusCode: 200, proxy: failed })).toBeUndefined()
  })
})

describe('a record of Fir’s router', () => {
  const resource = { 'service.name': 'heroku-router' }
  const attributes = {
    'http.request.method': 'GET',
    'url.path': '/users/1',
    'http.response.status_code': 200,
    'http.response.body.size': 12,
    'server.address': 'a.example.com',
    'heroku.router.dyno': 'web-1-x',
    'heroku.router.service': 12,
    'heroku.router.connect': '1ms',
  }
  const expected = {
    at_ms: NOON,
    method: 'GET',
    path: '/users/1',
    dyno: 'web-1-x',
    status: 200,
    service_ms: 12,
    connect_ms: 1,
    bytes: 12,
    host: 'a.example.com',
  }

  it('is read by its attributes', () => {
    const timestamp = String(NOON * 1e6)
    expect(read({ timestamp, resource, attributes })).toMatchObject(expected)
    const listed = Object.entries(attributes).map(([key, value]) => ({
      key,
      value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value },
    }))
    const wrapped = {
      timeUnixNano: timestamp,
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'heroku-router' } }] },
      attributes: listed,
    }
    expect(read(wrapped)).toMatchObject(expected)
  })

  it('is read by its text', () => {
    const body =
      'at=error code=H12 desc="Request timeout" method=GET path="/a b?c=d" host=h.example.com dyno=web-1 connect= service=30000ms status=503 bytes=0 tls=true'
    const seen = {
      method: 'GET',
      path: '/a b?c=d',
      code: 'H12',
      service_ms: 30000,
      connect_ms: null,
      tls: true,
    }
    for (const value of [{ body }, { body: { stringValue: body } }, { message: body }]) {
      expect(read({ timestamp: NOON, resource, ...value })).toMatchObject(seen)
    }
  })

  it('has its duration in seconds by the conventions', () => {
    const timed = { 'http.request.method': 'GET', 'http.server.request.duration': 0.25 }
    expect(read({ resource, attributes: timed })).toMatchObject({ service_ms: 250, at_ms: null })
  })

  it('must be of the router, and of a request', () => {
    expect(read({ attributes, resource: { 'service.name': 'my-app' } })).toBeUndefined()
    expect(read({ attributes })).toBeUndefined()
    expect(read({ resource, body: 'starting' })).toBeUndefined()
  })
})

it('throws for no JSON', () => {
  const names = [
    'kind',
    'fields',
    'proxy',
    'attributes',
    'resource',
    'body',
    'timestamp',
    'method',
    'path',
    'status',
  ]
  const dictionaries = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.jsonValue(),
      fc.constantFrom('router', 'heroku-router', -1, '2026-11-21T12:00:00Z'),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('service.name', 'key', 'value', ...names), tie('value')),
    ),
  })).value
  fc.assert(
    fc.property(dictionaries, (value) => {
      const seen = read(value)
      if (seen === undefined) return
      expect(typeof seen.path).toBe('string')
      expect(seen.bytes).toBeGreaterThanOrEqual(0)
      if (seen.at_ms !== null) expect(Number.isSafeInteger(seen.at_ms)).toBe(true)
    }),
    { seed: 7070, numRuns: 5000 },
  )
})

describe('the time of a line', () => {
  it.each([
    ['2026-11-21T12:00:01.5Z', NOON + 1500],
    ['2026-11-21T12:00:01+00:00', NOON + 1000],
    ['2026-11-21T13:30:01.12345+01:30', NOON + 1123],
    ['2026-11-21T12:00:59.999999999Z', NOON + 59_999],
    [NOON, NOON],
    [NOON * 1e6, NOON],
    [String(NOON), NOON],
    [`${NOON}000000`, NOON],
    ['2026-11-21T12:00:00Z+00:00', null],
    ['2026-11-21T12:00:60Z', null],
    ['2026-11-21T12:00:1Z', null],
    ['2026-11-21T12:00:01.Z', null],
    ['2026-11-21T12:00:01', null],
    ['2026-02-30T12:00:01Z', null],
    ['yesterday', null],
    ['', null],
    [-1, null],
    [NaN, null],
    [true, null],
    [null, null],
  ])('%j', (value, expected) => {
    expect(lineTime(value)).toBe(expected)
  })
})
