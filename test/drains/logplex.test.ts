import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../src/contract/limits.ts'
import { decodeSyslogText } from '../../src/drains/logplex.ts'
import { decode, framed, keysOf, line, rebuilt, TIME, valueOf, valuesOf } from './bodies.ts'

const L10 = `<172>1 ${TIME} host heroku logplex - Error L10 (output buffer overflow): 7 messages dropped since 2026-11-21T18:21:01+00:00.`
const app = (text: string | Buffer) =>
  Buffer.concat([Buffer.from(line('').slice(0, -1)), Buffer.from(text as string)])

describe('keys', () => {
  const body = framed(
    line('x'),
    line('y', 'heroku router'),
    `<45>1 ${TIME} host app - z\n`,
    'garbage',
  )

  it('are source and process', () => {
    const decoded = decode(body, {}, { source: 'd.token' })
    expect(keysOf(decoded)).toEqual(['d.token/web.1', 'd.token/router', 'd.token', 'd.token'])
  })

  it('have the app where there is no source', () => {
    expect(keysOf(decode(body))).toEqual(['app/web.1', 'heroku/router', 'app', null])
  })
})

describe('bytes', () => {
  it('that are not UTF-8 are kept beside a text', () => {
    const raw = app(Buffer.from('caf\xe9 \0\n', 'latin1'))
    const value = valueOf(raw)
    expect(value).toMatchObject({ message: 'caf\ufffd \0', flags: ['not_utf8', 'nul'] })
    expect(value.raw).toBeUndefined()
    expect(Buffer.from(value.raw_base64!, 'base64')).toEqual(raw)
  })

  it('of other lines of the same body are not flagged', () => {
    const body = framed(line('one'), app(Buffer.from([0xff, 0x0a])), line('µ'))
    expect(valuesOf(decode(body)).map(({ flags }) => flags)).toEqual([
      undefined,
      ['not_utf8'],
      undefined,
    ])
  })

  it('of zero are text', () => {
    expect(valueOf(line('a\0b'))).toEqual({
      ...valueOf(line('x')),
      message: 'a\0b',
      flags: ['nul'],
    })
  })

  it.each([10_000, 9_999, 10_001])('of a text of %i without newline: split if 10,000', (size) => {
    const { flags } = valueOf(app('x'.repeat(size)))
    expect(flags).toEqual(size === 10_000 ? ['no_newline', 'split'] : ['no_newline'])
  })

  it('of a text that is cut within a character', () => {
    const bytes = Buffer.from('€'.repeat(5_000))
    const raw = app(bytes.subarray(0, 10_000))
    const value = valueOf(raw)
    expect(value.flags).toEqual(['not_utf8', 'no_newline', 'split'])
    expect(Buffer.from(value.raw_base64!, 'base64')).toEqual(raw)
    expect(valueOf(app('€€'.repeat(1_666) + 'five')).flags).toEqual(['no_newline', 'split'])
  })
})

describe('what a drain sees', () => {
  it('is counted', () => {
    const { seen } = decode(
      framed(
        L10,
        line('one'),
        line('two', 'heroku web.1'),
        'garbage',
        `<190>1 soon host app web.2 - x\n`,
      ),
    )
    expect(seen).toEqual({
      ...{ lines: 5, dropped: 7, flagged: 2, looped: 0, newest_ms: Date.parse(TIME) },
      sources: new Set(['heroku/logplex', 'app/web.1', 'heroku/web.1', 'app/web.2']),
    })
  })

  it('has the youngest time, if any', () => {
    const at = (time: string) => `<190>1 ${time} host app web.1 - x\n`
    const times = ['2026-11-21T18:00:00Z', '2026-11-21T19:30:00+01:00', '2026-11-21T18:10:00Z', '-']
    expect(decode(framed(...times.map(at))).seen.newest_ms).toBe(Date.UTC(2026, 10, 21, 18, 30))
    expect(decode(framed(at('-'), 'x')).seen.newest_ms).toBeUndefined()
  })

  it('names some hundred sources at most', () => {
    const all = Array.from({ length: 2_000 }, (_, index) => line('x', `app run.${index}`))
    const { seen, records } = decode(framed(...all))
    expect([seen.sources.size, seen.lines, records.length]).toEqual([300, 2_000, 2_000])
  })

  it('of nothing is nothing', () => {
    const { records, seen } = decode('')
    expect([records, seen.lines]).toEqual([[], 0])
  })
})

describe('a loop', () => {
  const own = { host: 'logs.example.com', path: '/drains/abc' }
  const request = (host: string, path: string) =>
    `at=info method=POST path="${path}" host=${host} service=3ms status=204`
  const seenOf = (text: string, names = 'heroku router') => {
    const { records, seen } = decode(framed(line(text, names), line('x')), {}, { source: 's', own })
    return [records.length, seen.lines, seen.looped]
  }

  it.each([
    ['logs.example.com', '/drains/abc'],
    ['LOGS.example.com', '/drains/abc?token=x y'],
  ])('is a request to %s%s', (host, path) => {
    expect(seenOf(request(host, path))).toEqual([1, 1, 1])
  })

  it.each([
    ['logs.example.com', '/drains/abcd'],
    ['logs.example.com', '/?next=/drains/abc'],
    ['shop.example.com', '/drains/abc'],
    ['logs.example.com:8443', '/drains/abc'],
  ])('is not a request to %s%s', (host, path) => {
    expect(seenOf(request(host, path))).toEqual([2, 2, 0])
  })

  it('is what the router says, not what apps say', () => {
    expect(seenOf(request(own.host, own.path), 'app web.1')).toEqual([2, 2, 0])
    const decoded = decode(framed(line(request(own.host, own.path), 'heroku router')))
    expect(decoded.records).toHaveLength(1)
  })
})

describe('text too long for one record', () => {
  const long = LIMITS.drain_record_bytes + 100_000

  it.each([
    ['letters', 'x'.repeat(long)],
    ['control characters', '\x01'.repeat(170_000)],
    ['characters of three bytes', '€'.repeat(long / 3)],
    ['newlines', '\n'.repeat(long)],
  ])('of %s is cut into pieces that give the body back', (_, text) => {
    const body = Buffer.concat([
      framed(line('before')),
      framed(line(text)),
      Buffer.from(' '),
      framed(line('after')),
    ])
    const decoded = decode(body)
    const values = valuesOf(decoded)
    expect(rebuilt(values).equals(body)).toBe(true)
    expect(
      Math.max(...decoded.records.map((record) => Buffer.byteLength(record))),
    ).toBeLessThanOrEqual(LIMITS.drain_record_bytes)
    const pieces = values.slice(1, -1)
    expect(pieces.map(({ message }) => message).join('')).toBe(text)
    expect(pieces.map(({ part }) => part)).toEqual(
      pieces.map((_, index) => ({ index, of: pieces.length })),
    )
    for (const piece of pieces) {
      expect(piece).toMatchObject({ timestamp: TIME, app: 'app', process: 'web.1', flags: ['cut'] })
    }
    expect([decoded.seen.lines, decoded.seen.flagged]).toEqual([3, 0])
    expect(new Set(keysOf(decoded))).toEqual(new Set(['app/web.1']))
  })

  it('that is no text is cut, too', () => {
    const body = Buffer.alloc(long, 0xff)
    const decoded = decode(body)
    expect(rebuilt(valuesOf(decoded)).equals(body)).toBe(true)
    expect(valuesOf(decoded)[0]!.flags).toEqual(['bad_count', 'not_syslog', 'not_utf8', 'cut'])
    expect(decoded.seen.lines).toBe(1)
  })

  it('is not cut where it fits', () => {
    const decoded = decode(framed(line('x'.repeat(900_000))))
    expect(decoded.records).toHaveLength(1)
    expect(valuesOf(decoded)[0]!.flags).toBeUndefined()
  })
})

describe('decodeSyslogText', () => {
  it('has a record for each line that begins a message', () => {
    const text = `${line('one')}  at somewhere\n${line('two')}${line('three').slice(0, -1)}`
    const decoded = decodeSyslogText(Buffer.from(text), { source: 's' })
    const values = valuesOf(decoded)
    expect(values.map(({ message, flags }) => [message, flags])).toEqual([
      ['one\n  at somewhere', undefined],
      ['two', undefined],
      ['three', ['no_newline']],
    ])
    expect(String(rebuilt(values))).toBe(text)
    expect(decoded.seen.flagged).toBe(0)
  })

  it('understands octet counts', () => {
    const decoded = decodeSyslogText(framed(line('one'), line('two')), { source: 's' })
    expect(valuesOf(decoded).map(({ message }) => message)).toEqual(['one', 'two'])
  })
})
