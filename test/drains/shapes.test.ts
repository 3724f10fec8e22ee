import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { routerFields } from '../../src/drains/shapes/router.ts'
import { decode, framed, line, valueOf } from './bodies.ts'

/** Kind and fields of a text of this app and process. */
function shape(text: string, names = 'app web.1') {
  const { kind, fields } = valueOf(line(text, names))
  return kind === undefined ? undefined : [kind, fields]
}

const PLACE = 'host=shop.example.com request_id=8e31e8a7-5e3f-4a6c-9c0e-0f7f2f6a1f11'
const ROUTER = 'heroku router'

describe('router lines', () => {
  it('of the legacy router', () => {
    const text = `at=info method=GET path="/a?b=c&d" ${PLACE} fwd="1.2.3.4,5.6.7.8" dyno=web.1 connect=0ms service=31ms status=200 bytes=1204 protocol=https`
    expect(shape(text, ROUTER)).toEqual([
      'router',
      {
        ...{ at: 'info', method: 'GET', path: '/a?b=c&d', host: 'shop.example.com' },
        ...{ request_id: '8e31e8a7-5e3f-4a6c-9c0e-0f7f2f6a1f11', fwd: '1.2.3.4,5.6.7.8' },
        ...{ dyno: 'web.1', connect: 0, service: 31, status: 200, bytes: 1204, protocol: 'https' },
      },
    ])
  })

  it('of Router 2.0: raw spaces and = in the path, tls', () => {
    const text = `at=info method=GET path="/find me?q=a b=c status=500" ${PLACE} fwd="1.2.3.4" dyno=web.2 connect=1ms service=2.5ms status=304 bytes=0 protocol=http2.0 tls=true tls_version=tls1.3`
    expect(shape(text, ROUTER)?.[1]).toMatchObject({
      ...{ path: '/find me?q=a b=c status=500', service: 2.5, status: 304, bytes: 0 },
      ...{ protocol: 'http2.0', tls: true, tls_version: 'tls1.3' },
    })
  })

  it.each([
    ['H10', 'App crashed'],
    ['H12', 'Request timeout'],
    ['H14', 'No web processes running'],
    ['H99', 'Platform error'],
  ])('of an error %s, with empty values', (code, desc) => {
    const text = `at=error code=${code} desc="${desc}" method=POST path="/" ${PLACE} fwd="1.2.3.4" dyno= connect= service= status=503 bytes= protocol=http tls=false tls_version=unknown`
    expect(shape(text, ROUTER)?.[1]).toMatchObject({
      ...{ at: 'error', code, desc, dyno: null, connect: null, service: null, status: 503 },
      ...{ bytes: null, tls: false, tls_version: 'unknown' },
    })
  })

  it('in any order, with keys nobody knows, without ms, and fwd without quotes', () => {
    const text = `sock=backend at=warning code=H18 desc="Server Request Interrupted" new=x"y status=200 path="/\\" fwd=1.2.3.4 connect=0 service=17 cause= __proto__=1`
    const { fields } = valueOf(line(text, ROUTER))
    expect(fields).toMatchObject({
      ...{ sock: 'backend', at: 'warning', code: 'H18', new: 'x"y', status: 200, path: '/\\' },
      ...{ fwd: '1.2.3.4', connect: 0, service: 17, cause: null },
    })
  })

  it.each([
    ['status=2xx', { status: null }],
    ['status=007', { status: null }],
    ['bytes=-', { bytes: null }],
    ['bytes=1.5', { bytes: null }],
    ['service=1e9ms', { service: null }],
    ['service=ms', { service: null }],
    ['tls=maybe', { tls: null }],
  ])('have nothing where %s has no value of its type', (pair, fields) => {
    expect(shape(`at=info method=GET path="/" ${pair}`, ROUTER)?.[1]).toMatchObject(fields)
  })

  it.each(['', 'hello', 'at=', 'what=ever at=info'])('are not %j', (text) => {
    expect(shape(text, ROUTER)).toBeUndefined()
  })

  it('come from the router only', () => {
    const text = 'at=info method=GET path="/" service=3ms status=200'
    expect(shape(text)?.[0]).toBe('logfmt')
    expect(shape(text, 'heroku-router router-1')?.[0]).toBe('router')
  })
})

describe('lines of dynos', () => {
  it.each<[string, string, object]>([
    ['State changed from starting to up', 'state', { from: 'starting', to: 'up' }],
    [
      'Starting process with command `bin/web -p "$PORT"`',
      'process',
      { event: 'starting', command: 'bin/web -p "$PORT"' },
    ],
    ['Stopping all processes with SIGTERM', 'process', { event: 'stopping', signal: 'SIGTERM' }],
    ['Stopping process with SIGKILL', 'process', { event: 'stopping', signal: 'SIGKILL' }],
    ['Process exited with status 143', 'process', { event: 'exited', status: 143 }],
    [
      'Process running mem=870M(170.1%)',
      'process',
      { event: 'running', mem_mb: 870, mem_percent: 170.1 },
    ],
    ['Cycling', 'process', { event: 'cycling' }],
    [
      'Error R14 (Memory quota exceeded)',
      'error',
      { code: 'R14', desc: 'Memory quota exceeded', detail: null },
    ],
    [
      'Error R10 (Boot timeout) -> Web process failed to bind to $PORT within 60 seconds of launch',
      'error',
      {
        ...{ code: 'R10', desc: 'Boot timeout' },
        detail: 'Web process failed to bind to $PORT within 60 seconds of launch',
      },
    ],
    ['Error H82', 'error', { code: 'H82', desc: null, detail: null }],
    [
      'source=web.1 dyno=heroku.123.4567 sample#memory_total=201.71MB sample#load_avg_1m=0.00 sample#memory_pgpgin=88604pages',
      'runtime_metrics',
      {
        ...{ source: 'web.1', dyno: 'heroku.123.4567' },
        samples: { memory_total: 201.71, load_avg_1m: 0, memory_pgpgin: 88604 },
        units: { memory_total: 'MB', memory_pgpgin: 'pages' },
      },
    ],
  ])('%s', (text, kind, fields) => {
    expect(shape(text, 'heroku web.1')).toEqual([kind, fields])
    expect(shape(text, 'heroku scheduler.9200')?.[0]).toBe(kind)
    expect(['l2met', undefined]).toContain(shape(text)?.[0])
  })

  it.each(['State changed', 'Process exited with status x', 'Error', 'Error X1 (y)', 'hello', ''])(
    'are not %j',
    (text) => {
      expect(shape(text, 'heroku web.1')).toBeUndefined()
    },
  )
})

describe('lines of the API', () => {
  it.each<[string, object]>([
    [
      'Release v48 created by user ann@example.com',
      { event: 'release', version: 48, user: 'ann@example.com' },
    ],
    [
      'Deploy 1a2b3c4d by user ann@example.com',
      { event: 'deploy', commit: '1a2b3c4d', user: 'ann@example.com' },
    ],
    [
      'Rollback to v47 by user ann@example.com',
      { event: 'rollback', version: 47, user: 'ann@example.com' },
    ],
    [
      'Scaled to web@2:Standard-1X worker@0:Basic by user ann@example.com',
      {
        event: 'scale',
        formation: [
          { process: 'web', quantity: 2, size: 'Standard-1X' },
          { process: 'worker', quantity: 0, size: 'Basic' },
        ],
        user: 'ann@example.com',
      },
    ],
    [
      'Set A, B_C config vars by user ann@example.com',
      { event: 'set_config', vars: ['A', 'B_C'], user: 'ann@example.com' },
    ],
    [
      'Remove A config vars by user ann@example.com',
      { event: 'remove_config', vars: ['A'], user: 'ann@example.com' },
    ],
    [
      'Build started by user ann@example.com',
      { event: 'build', outcome: 'started', user: 'ann@example.com' },
    ],
    ['Build succeeded', { event: 'build', outcome: 'succeeded', user: null }],
    [
      'Attach DATABASE (@ref:postgresql-round-1) by user ann@example.com',
      {
        event: 'other',
        action: 'Attach DATABASE (@ref:postgresql-round-1)',
        user: 'ann@example.com',
      },
    ],
  ])('%s', (text, fields) => {
    expect(shape(text, 'app api')).toEqual(['release', fields])
    expect(shape(text)).toBeUndefined()
  })

  it('tell of one-off processes', () => {
    const text = 'Starting process with command `bash` by user ann@example.com'
    expect(shape(text, 'app api')).toEqual([
      'process',
      { event: 'starting', command: 'bash', user: 'ann@example.com' },
    ])
    expect(shape('hello', 'app api')).toBeUndefined()
  })
})

describe('lines of add-ons', () => {
  it('of Postgres: a sample', () => {
    const text =
      'source=DATABASE addon=postgresql-round-1 sample#db_size=4347350804bytes sample#tables=43 sample#index-cache-hit-rate=0.97116 sample#memory-total=15405636.0kB'
    expect(shape(text, 'app heroku-postgres')).toEqual([
      'postgres',
      {
        ...{ source: 'DATABASE', addon: 'postgresql-round-1' },
        samples: {
          ...{ db_size: 4347350804, tables: 43, 'index-cache-hit-rate': 0.97116 },
          'memory-total': 15405636,
        },
        units: { db_size: 'bytes', 'memory-total': 'kB' },
      },
    ])
  })

  it('of Postgres: an entry of its log in several frames', () => {
    const first =
      '[DATABASE] [12-1]  sql_error_code = 00000 LOG:  duration: 2013.750 ms  statement: SELECT'
    expect(shape(first, 'app postgres.4321')).toEqual([
      'postgres',
      {
        ...{ source: 'DATABASE', entry: 12, part: 1, sql_error_code: '00000', level: 'LOG' },
        duration_ms: 2013.75,
      },
    ])
    expect(shape('[12-2] \t  FROM orders', 'app postgres.4321')).toEqual([
      'postgres',
      { source: null, entry: 12, part: 2 },
    ])
    expect(shape('[12-2] not of Postgres')).toBeUndefined()
    expect(shape('hello', 'app postgres.4321')).toBeUndefined()
  })

  it('of Redis', () => {
    const text =
      'source=REDIS addon=redis-flat-1 sample#hit-rate=0.9 sample#memory-redis=460192bytes'
    expect(shape(text, 'app heroku-redis')).toEqual([
      'redis',
      {
        ...{ source: 'REDIS', addon: 'redis-flat-1' },
        ...{
          samples: { 'hit-rate': 0.9, 'memory-redis': 460192 },
          units: { 'memory-redis': 'bytes' },
        },
      },
    ])
  })
})

describe('lines of apps', () => {
  it('of l2met, with words between', () => {
    const text =
      'done source=us measure#db=12.5ms count#jobs=1 unique#user=ann sample#q= hash#x=1 units=2 at=end'
    expect(shape(text)).toEqual([
      'l2met',
      {
        ...{ source: 'us', 'hash#x': '1', at: 'end' },
        ...{ measures: { db: 12.5 }, counts: { jobs: 1 }, uniques: { user: 'ann' } },
        ...{ samples: { q: null }, units: { db: 'ms' } },
      },
    ])
    expect(shape('see issue#12=x')).toBeUndefined()
  })

  it('of JSON, as they are', () => {
    const text = '{"n":12345678901234567890,"huge":1e400,"b":[1,{"c":"\\u0000 \\ud800"}],"n":2}'
    const [record] = decode(framed(line(`${text} `))).records
    expect(record).toContain(`"kind":"json","fields":${text}}`)
  })

  it('of JSON over several lines', () => {
    expect(shape('{\n  "a": 1,\r\n  "b": "x"\n}')).toEqual(['json', { a: 1, b: 'x' }])
  })

  it.each([
    ...[
      '{',
      '{"a":1',
      '{a:1}',
      '{"a":1} trailing',
      '[1]',
      '{"a":1},{"a":2}',
      '{}],[{}',
      '{"a":01}',
    ],
    `${'{"a":'.repeat(511)}1${'}'.repeat(511)}`,
    `{"a":"${'x'.repeat(17_000)}"}`,
  ])('without fields: %s', (text) => {
    expect(shape(text)).toBeUndefined()
  })

  it('of JSON as deep as a record may be', () => {
    const text = `${'{"a":'.repeat(510)}1${'}'.repeat(510)}`
    expect(shape(text)?.[0]).toBe('json')
  })

  it('of logfmt', () => {
    const text =
      'level=info msg="a \\"b\\" c" id=00123 n=-1.50 e=1e5 wide=1234567890123456 ok=true no=false nil=null empty= took=12ms'
    expect(shape(text)).toEqual([
      'logfmt',
      {
        ...{ level: 'info', msg: 'a "b" c', id: '00123', n: -1.5, e: '1e5' },
        ...{ wide: '1234567890123456', ok: true, no: false, nil: null, empty: null, took: '12ms' },
      },
    ])
  })

  it.each(['a=1', 'a=1 b', 'hello a=1 b=2', '=1 a=2 b=3', 'https://x?a=1 b=2 c', ''])(
    'not %j',
    (text) => {
      expect(shape(text)).toBeUndefined()
    },
  )
})

describe('router lines as they usually are', () => {
  const word = fc.stringMatching(/^[a-z0-9.:/?&-]{1,20}$/)
  const count = fc.oneof(fc.nat(), fc.constantFrom('0', '007', '', '12.5'))
  const usual = fc
    .record({ path: word, host: word, fwd: word, service: count, status: count, bytes: count })
    .map(
      ({ path, host, fwd, service, status, bytes }) =>
        `at=info method=GET path="${path}" host=${host} request_id=1f fwd="${fwd}" dyno=web.1 connect=0ms ` +
        `service=${service}ms status=${status} bytes=${bytes} protocol=https`,
    )

  it('have the fields that any other router line has', () => {
    fc.assert(
      fc.property(usual, fc.boolean(), (line, has_tls) => {
        const whole = has_tls ? `${line} tls=true tls_version=tls1.3` : line
        // One more field, and it is no usual one.
        const other = JSON.parse(routerFields(`${whole} more=x`, true)!) as Record<string, unknown>
        expect(JSON.parse(routerFields(whole, true)!)).toEqual({ ...other, more: undefined })
      }),
      { seed: 11, numRuns: 500 },
    )
  })
})
