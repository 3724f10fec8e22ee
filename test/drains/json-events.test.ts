import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../src/contract/limits.ts'
import { decodeJsonEvents } from '../../src/drains/json-events.ts'
import type { JsonForm } from '../../src/drains/json-values.ts'
import { jsonText, mutated } from '../support/json-text.ts'
import { bytesOf, keysOf, NOBODY, type Json, recordsOf, SHOP, valuesOf } from './decoded-records.ts'

const decode = (body: string | Buffer, form: JsonForm = 'json', sender = NOBODY) =>
  decodeJsonEvents(Buffer.from(body), sender, form)
const texts = (body: string | Buffer, form: JsonForm = 'json') =>
  recordsOf(decode(body, form)).map((record) => record.text)
const FORMS: JsonForm[] = ['json', 'ndjson']

describe('what senders write', () => {
  it("is Vector's array of events", () => {
    const events = [
      '{"appname":"billing","host":"web-1","message":"paid","procid":4711,"timestamp":"2026-11-21T18:30:00.123456Z"}',
      '{"appname":"billing","host":"web-1","message":"sent","procid":4711,"timestamp":"2026-11-21T18:30:01Z"}',
    ]
    const decoded = decode(`[${events.join(',')}]`)
    expect(recordsOf(decoded).map((record) => record.text)).toEqual(events)
    expect(keysOf(decoded)).toEqual(['billing/4711', 'billing/4711'])
    expect(decoded.ids).toBeUndefined()
    expect(decoded.seen).toEqual({
      lines: 2,
      dropped: 0,
      flagged: 0,
      looped: 0,
      sources: new Set(['billing/4711']),
      newest_ms: Date.parse('2026-11-21T18:30:01Z'),
    })
  })

  it("is Fluent Bit's array, with its date in seconds", () => {
    const event =
      '{"date":1795285800.5,"log":"hello","kubernetes":{"pod_name":"api-7d9","namespace_name":"prod","labels":{"app":"api"}}}'
    const decoded = decode(`[${event}]`)
    expect(texts(`[${event}]`)).toEqual([event])
    expect(keysOf(decoded)).toEqual(['api/api-7d9'])
    expect(decoded.seen.newest_ms).toBe(1795285800500)
  })

  it("is Fluent Bit's json_stream: objects with nothing between them", () => {
    expect(texts('{"log":"a"}{"log":"b"} {"log":"c"}')).toEqual([
      '{"log":"a"}',
      '{"log":"b"}',
      '{"log":"c"}',
    ])
  })

  it.each([
    '[[1795285800.25,{"app":"api","log":"x"}],[1795285801,{"app":"api","log":"y"}]]',
    '[1795285800.25,{"app":"api","log":"x"}]\n[1795285801,{"app":"api","log":"y"}]',
    '[[[1795285800.25,{}],{"app":"api","log":"x"}],[[1795285801,{}],{"app":"api","log":"y"}]]',
  ])("is Fluent Bit's pairs of time and event: %s", (body) => {
    const decoded = decode(body)
    expect(recordsOf(decoded)).toMatchObject([
      { key: 'api', text: '{"app":"api","log":"x"}', headers: { event_time: '1795285800.25' } },
      { key: 'api', text: '{"app":"api","log":"y"}', headers: { event_time: '1795285801' } },
    ])
    expect(decoded.seen.newest_ms).toBe(1795285801000)
  })

  it("keeps Fluent Bit's metadata", () => {
    expect(recordsOf(decode('[[[7,{"trace":"x"}],{"log":"y"}]]'))).toMatchObject([
      { text: '{"log":"y"}', headers: { event_time: '7', event_metadata: '{"trace":"x"}' } },
    ])
  })

  it("is what Fly's log shipper and Dokku's Vector send", () => {
    const fly =
      '{"event":{"provider":"app"},"fly":{"app":{"instance":"6e82","name":"blog"},"region":"ams"},"host":"9f1","log":{"level":"info"},"message":"GET / 200","timestamp":"2026-11-21T18:30:00Z"}'
    const dokku =
      '{"container_name":"node-js-app.web.1","host":"dokku","label":{"com.dokku.app-name":"node-js-app","com.dokku.process-type":"web"},"message":"ready","stream":"stdout","timestamp":"2026-11-21T18:30:00Z"}'
    expect(keysOf(decode(`${fly}\n${dokku}\n`, 'ndjson'))).toEqual(['blog/6e82', 'node-js-app/web'])
    expect(texts(`${fly}\n${dokku}\n`, 'ndjson')).toEqual([fly, dokku])
  })

  it("is Netlify's, Cloudflare's and syslog-ng's NDJSON", () => {
    const lines = [
      '{"log_type":"traffic","site_name":"docs","timestamp":"2026-11-21T18:30:00Z","status_code":200}',
      '{"ClientRequestHost":"example.com","EdgeStartTimestamp":1795285800123456789,"RayID":"3a6050bcbe121a87","ZoneName":"example.com"}',
      '{"PROGRAM":"sshd","PID":"99","HOST":"gate","ISODATE":"2026-11-21T18:30:02+00:00","MESSAGE":"Accepted"}',
    ]
    const decoded = decode(lines.join('\r\n'), 'ndjson')
    expect(texts(lines.join('\r\n'), 'ndjson')).toEqual(lines)
    expect(keysOf(decoded)).toEqual(['docs/traffic', 'example.com', 'sshd/99'])
    expect(decoded.seen.newest_ms).toBe(Date.parse('2026-11-21T18:30:02Z'))
  })

  it("is Cloudflare's test of a new job", () => {
    expect(texts('{"content":"tests"}', 'ndjson')).toEqual(['{"content":"tests"}'])
  })
})

describe('keys', () => {
  it("begin with the drain's label instead of the app", () => {
    const body = '[{"app":"api","procid":"web.1"},{"app":"api"},{"n":1}]'
    expect(keysOf(decode(body, 'json', SHOP))).toEqual(['shop/web.1', 'shop', 'shop'])
    expect(keysOf(decode(body))).toEqual(['api/web.1', 'api', undefined])
  })

  it.each([
    ['{"service":{"name":"a","instance":{"id":"b"}}}', 'a/b'],
    ['{"service.name":"a","service":{"instance.id":"b"}}', 'a/b'],
    ['{"host":"h","source":"s"}', 'h'],
    ['{"source":"s","app":"a"}', 'a'],
    ['{"app":"\\u00e9\\n","process":{"pid":1}}', 'é\n/1'],
    ['{"app":{"x":1},"hostname":"h"}', 'h'],
    ['{"app":"","hostname":"h"}', 'h'],
    ['{"app":null,"procid":true}', undefined],
  ])('of %s is %j', (event, key) => {
    expect(keysOf(decode(event))).toEqual([key])
  })

  it('are cut where they are too long, and never in half a character', () => {
    const [key] = keysOf(decode(`{"app":"${'x'.repeat(511)}😀"}`))
    expect(key).toBe(`${'x'.repeat(511)}\ufffd`)
  })
})

describe('values', () => {
  it('come back as they were sent', () => {
    const event = '{"a":12345678901234567890,"b":1e400,"b":-0, "c" : [ ] ,"d":"\\ud800\\u0000"}'
    expect(texts(`[ ${event} , ${event} ]`)).toEqual([event, event])
  })

  it('come back as they were sent, whatever they are', () => {
    const value = jsonText().filter((text) => /^\s*[{"]/.test(text))
    const elements = fc.array(value, { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(elements, fc.constantFrom(...FORMS), fc.boolean(), (values, form, isArray) => {
        const body = isArray ? `[${values.join(',')}]` : values.join('\n')
        const expected = values.map((text) => {
          const trimmed = text.trim()
          return trimmed.startsWith('"') ? `{"message":${trimmed}}` : trimmed
        })
        expect(texts(body, form)).toEqual(expected)
      }),
      { seed: 7070, numRuns: 1000 },
    )
  })

  it('are made into one line where they were pretty-printed', () => {
    const value = { a: [1, { b: 'x\ny' }], c: {} }
    const body = `${JSON.stringify(value, null, 2)}\n${JSON.stringify([value, value], null, 2)}\n`
    for (const form of FORMS) expect(valuesOf(decode(body, form))).toEqual([value, value, value])
  })

  it('that are no objects are messages', () => {
    expect(texts('["a",1e400,null,true,[1],{}]')).toEqual([
      '{"message":"a"}',
      '{"message":1e400}',
      '{"message":null}',
      '{"message":true}',
      '[1]',
      '{}',
    ])
    expect(texts('"a"\n17\nnull\n', 'ndjson')).toEqual([
      '{"message":"a"}',
      '{"message":17}',
      '{"message":null}',
    ])
  })

  it.each(['', ' \r\n\n', '[]', '[ ]\n[]', '\ufeff', '\x1e'])('are none in %j', (body) => {
    for (const form of FORMS) expect(decode(body, form).records).toEqual([])
  })

  it('follow a byte order mark and record separators', () => {
    expect(texts('\ufeff\x1e{"a":1}\n\x1e{"a":2}\n', 'ndjson')).toEqual(['{"a":1}', '{"a":2}'])
  })

  it('may be followed by commas', () => {
    expect(texts('{"a":1},\n{"a":2},\n{"a":3}')).toEqual(['{"a":1}', '{"a":2}', '{"a":3}'])
  })
})

describe('what is not JSON', () => {
  it('is kept line by line in NDJSON', () => {
    const decoded = decode(
      '{"a":1}\n  at main.js:1\n{"a":\ntrue story\n{"b":2}x\n{"c":3}\n',
      'ndjson',
    )
    expect(valuesOf(decoded)).toEqual([
      { a: 1 },
      { message: '  at main.js:1', flags: ['not_json'] },
      { message: '{"a":', flags: ['not_json'] },
      { message: 'true story', flags: ['not_json'] },
      { b: 2 },
      { message: 'x', flags: ['not_json'] },
      { c: 3 },
    ])
    expect(decoded.seen).toMatchObject({ lines: 7, flagged: 4 })
  })

  it('is kept as one text where a body was cut off', () => {
    expect(valuesOf(decode('[{"a":1},{"a":2},{"a":\n "x'))).toEqual([
      { a: 1 },
      { a: 2 },
      { message: '{"a":\n "x', flags: ['not_json'] },
    ])
  })

  it('ends where a line begins with JSON again', () => {
    expect(valuesOf(decode('[{"a":1},\n{"a":2;\n "b":1},\n{"a":3}\n]\n'))).toEqual([
      { a: 1 },
      { message: '{"a":2;\n "b":1},', flags: ['not_json'] },
      { a: 3 },
    ])
  })

  it('is kept as bytes where it is not UTF-8', () => {
    const line = Buffer.from([0x7b, 0x22, 0xe9, 0x22, 0x3a, 0x31, 0x7d])
    for (const form of FORMS) {
      const decoded = decode(Buffer.concat([line, Buffer.from('\n{"a":1}\n')]), form)
      expect(valuesOf(decoded)).toEqual([
        { message: '{"\ufffd":1}', flags: ['not_utf8'], raw_base64: line.toString('base64') },
        { a: 1 },
      ])
      expect(decoded.seen.flagged).toBe(1)
    }
  })

  it('is JSON of more levels than a record may have', () => {
    const deep = `${'['.repeat(LIMITS.json_depth + 2)}${']'.repeat(LIMITS.json_depth + 2)}`
    expect(bytesOf(valuesOf(decode(deep))).toString()).toBe(deep)
  })

  it('is text that begins like an array', () => {
    const lines = ['[12, 5] connected', '[2026-11-21] up', '["a", b]', '[GIN] GET /']
    expect(valuesOf(decode(lines.join('\n'), 'ndjson')).map(({ message }) => message)).toEqual(
      lines,
    )
  })

  it('costs no scan of all the rest for each line', () => {
    // 500 lines that each open an array, then a megabyte inside of them that never ends: two records of text.
    const body = `${'[1,\n'.repeat(500)}${'1,'.repeat(500_000)}`
    expect(valuesOf(decode(body, 'ndjson'))).toHaveLength(502)
  })

  it('loses no byte in NDJSON', () => {
    const line = fc.oneof(
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
      fc.string({ unit: fc.constantFrom(...'{}[]",:a1 \t\r') }).map((text) => Buffer.from(text)),
    )
    const printable = (bytes: Buffer) => Buffer.from(bytes.filter((byte) => byte > 0x20))
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
        const body = Buffer.from(
          lines.map((bytes) => bytes.toString('latin1')).join('\n'),
          'latin1',
        )
        const records = recordsOf(decode(body, 'ndjson'))
        const kept = records.reduce((sum, { text, value }) => sum + lengthOf(text, value), 0)
        const separators = body.filter((byte) =>
          ',[]\x1e'.includes(String.fromCharCode(byte)),
        ).length
        const most = printable(body).length
        expect(kept).toBeGreaterThanOrEqual(most - separators - 3)
      }),
      { seed: 7070, numRuns: 3000 },
    )

    function lengthOf(text: string, value: Json): number {
      const isText = value?.flags !== undefined
      return printable(isText ? bytesOf([value]) : Buffer.from(text)).length
    }
  })
})

describe('any bytes', () => {
  it('are decoded without an exception', () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
      mutated(jsonText({ newlines: true }).map((text) => Buffer.from(text))),
      mutated(
        fc
          .array(jsonText(), { maxLength: 4 })
          .map((values) => Buffer.from(`[[1,{"app":"x"}],${values.join(',\n')}]`)),
      ),
    )
    fc.assert(
      fc.property(anything, fc.constantFrom(...FORMS), (body, form) => {
        const decoded = decode(body, form)
        recordsOf(decoded)
        expect(decoded.seen.lines).toBe(decoded.records.length)
      }),
      { seed: 7070, numRuns: 3000 },
    )
  })
})

describe('what is too long for a record', () => {
  it('is cut, and the pieces of a JSON text are that text', () => {
    const event = `{"app":"api","text":"${'"é😀\\n'.replaceAll('"', '\\"').repeat(200_000)}"}`
    const decoded = decode(`[{"a":1},${event}]`)
    const [first, ...pieces] = recordsOf(decoded)
    expect(first?.text).toBe('{"a":1}')
    expect(pieces.length).toBeGreaterThan(2)
    expect(pieces.map(({ value }) => value.json).join('')).toBe(event)
    expect(new Set(pieces.map(({ value }) => value.part.id)).size).toBe(1)
    pieces.forEach(({ key, value }, index) => {
      expect(key).toBe('api')
      expect(value.flags).toEqual(['cut'])
      expect(value.part).toMatchObject({ index, of: pieces.length })
    })
    expect(decoded.seen.lines).toBe(2)
  })

  it('is cut where it is text, of whatever bytes', () => {
    for (const unit of ['x', '"', '\0', 'é', '\u2028', '😀']) {
      const line = Buffer.from(`{${unit.repeat(600_000)}`)
      const values = valuesOf(decode(line, 'ndjson'))
      expect(bytesOf(values).equals(line)).toBe(true)
      expect(values.every(({ message }) => !message.includes('\ufffd'))).toBe(true)
    }
    const noise = Buffer.alloc(2_000_000, Buffer.from([0x7b, 0xff, 0x80, 0x41, 0xe2, 0x82]))
    expect(bytesOf(valuesOf(decode(noise, 'ndjson'))).equals(noise)).toBe(true)
  })
})
