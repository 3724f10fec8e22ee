import { deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { expectProblem } from '../support/answers.ts'
import { LOGPLEX } from '../support/drain-calls.ts'
import { bodyFrom, bodyOf, frameOf, lineOf } from '../support/drain-frames.ts'
import { useDrains } from '../support/use-drains.ts'

const drains = useDrains()
const NDJSON = 'application/x-ndjson'
const JSON_TYPE = 'application/json'
const TEXT = 'text/plain'
describe('a body that is compressed', () => {
  const body = frameOf('one', 'two')

  it.each([
    ['gzip', gzipSync(body), { 'content-encoding': 'gzip' }],
    ['gzip, in capitals', gzipSync(body), { 'content-encoding': 'GZIP' }],
    [
      'gzip in several members',
      Buffer.concat([gzipSync(body.subarray(0, 9)), gzipSync(body.subarray(9))]),
      { 'content-encoding': 'x-gzip' },
    ],
    ['gzip, and nothing that says so', gzipSync(body), {}],
    ['gzip, said to be plain', gzipSync(body), { 'content-encoding': 'identity' }],
    ['deflate', deflateSync(body), { 'content-encoding': 'deflate' }],
    ['plain, said to be gzip', body, { 'content-encoding': 'gzip' }],
    ['plain, said to be deflate', body, { 'content-encoding': 'deflate' }],
  ])('is read: %s', async (_what, sent, headers) => {
    for (const type of [LOGPLEX, 'application/octet-stream']) {
      const { drain, answer } = await drains.send(sent, type, headers)
      expect(answer.status).toBe(204)
      expect(await drains.messages(drain)).toEqual(['one', 'two'])
    }
  })

  it.each([
    ['cut', gzipSync(frameOf('x'.repeat(1_000))).subarray(0, 40)],
    [
      'of a wrong checksum',
      Buffer.concat([gzipSync(frameOf('x')).subarray(0, -8), Buffer.alloc(8)]),
    ],
    ['only in its first bytes', Buffer.from([0x1f, 0x8b, 0x41, 0x0a, 0x0d, 0x0a, 0x42])],
  ])('is kept where it cannot be read: gzip %s', async (_what, sent) => {
    const { drain, answer } = await drains.send(sent, LOGPLEX, { 'content-encoding': 'gzip' })
    expect(answer.status).toBe(204)
    expect(bodyFrom(await drains.values(drain)).equals(sent)).toBe(true)
  })

  it('is nothing where nothing was compressed', async () => {
    const { drain, answer } = await drains.send(gzipSync(''), LOGPLEX, {
      'content-encoding': 'gzip',
    })
    expect(answer.status).toBe(204)
    expect(await drains.values(drain)).toEqual([])
  })

  it.each(['br', 'snappy', 'gzip, gzip', 'x'])(
    'is 415 where it is %s, by its name',
    async (name) => {
      const { answer } = await drains.send(body, LOGPLEX, { 'content-encoding': name })
      const problem = await expectProblem(answer, 'unsupported_media_type', {
        in: 'header',
        pointer: '/content-encoding',
        written: 'no',
      })
      expect(problem.hint).toContain('gzip')
    },
  )
})

describe('content types', () => {
  it.each(['application/msgpack', 'application/x-msgpack', 'application/vnd.msgpack'])(
    '%s is 415, and says which setting of the sender helps',
    async (type) => {
      const { answer } = await drains.send(Buffer.from([0x81, 0xa1, 0x61, 0x01]), type)
      const problem = await expectProblem(answer, 'unsupported_media_type', {
        in: 'header',
        pointer: '/content-type',
        written: 'no',
      })
      expect(problem.hint).toMatch(/Fluent Bit.*format.*json/)
    },
  )

  it.each([
    ['', 'hello'],
    ['x', 'hello'],
    ['text', 'hello'],
    ['/', 'hello'],
    [';charset=utf-8', 'hello'],
    ['text/plain; charset', 'hello'],
    ['text/plain; charset=klingon', 'hello'],
    ['text/html, application/json', 'hello'],
    ['application/x-www-form-urlencoded', 'hello'],
    ['multipart/form-data; boundary=x', 'hello'],
    ['application/octet-stream', 'hello'],
    ['image/png', 'hello'],
    ['application/json', '{"message":"hello"}'],
    ['application/json', 'hello'],
    ['application/json; charset=latin1', '[{"message":"hello"}]'],
    ['text/json', '{"message":"hello"}'],
    ['APPLICATION/JSON', '{"message":"hello"}'],
    ['application/vnd.acme+json', '{"message":"hello"}'],
    [NDJSON, '{"message":"hello"}\n\n'],
    ['text/plain', '{"message":"hello"}'],
    ['text/plain', '<190>1 2026-11-21T09:41:06Z h app web.1 - - hello'],
    ['text/plain', bodyOf(lineOf('hello'))],
    ['application/logplex-1; charset=utf-8', bodyOf(lineOf('hello'))],
  ])('%s is taken, whatever it is called: %s', async (type, body) => {
    const { drain, answer } = await drains.send(body, type)
    expect(answer.status).toBe(204)
    expect(await drains.messages(drain)).toEqual(['hello'])
  })

  it('none is taken, too', async () => {
    const { credential } = await drains.create('untyped')
    const headers = { authorization: `Bearer ${credential}` }
    expect((await drains.call('POST', 'untyped', { headers }, 'hello')).status).toBe(204)
    expect((await drains.call('POST', 'untyped', { headers })).status).toBe(204)
    expect(await drains.messages('untyped')).toEqual(['hello'])
  })
})

describe('text of other senders', () => {
  it.each([
    ['lines', TEXT, 'a\nb\r\n\n \nc', ['a', 'b', 'c']],
    ['a literal \\u0000', TEXT, '\\u0000\n', ['\\u0000']],
    ['a NUL', TEXT, 'a\0b', ['a\0b']],
    ['a NUL in JSON', JSON_TYPE, '{"message":"a\\u0000b"}', ['a\0b']],
    ['half a surrogate in JSON', JSON_TYPE, '{"message":"\\ud800"}', ['\ud800']],
    ['nothing', TEXT, '', []],
    ['an empty list', JSON_TYPE, '[]', []],
    ['blanks', JSON_TYPE, ' \n ', []],
    ['a list that is cut', JSON_TYPE, '[{"message":"a"},{"mess', ['a', '{"mess']],
    [
      'lines of which one is no JSON',
      NDJSON,
      '{"message":"a"}\nb\n{"message":"c"}',
      ['a', 'b', 'c'],
    ],
  ])('is stored: %s', async (_what, type, body, messages) => {
    const { drain, answer } = await drains.send(body, type)
    expect(answer.status).toBe(204)
    expect(await drains.messages(drain)).toEqual(messages)
  })

  it('has its bytes kept where they are not UTF-8', async () => {
    const { drain, answer } = await drains.send(Buffer.from([0x61, 0xe9, 0xff, 0x0a, 0x62]), TEXT)
    expect(answer.status).toBe(204)
    const [first, second] = await drains.values(drain)
    expect(Buffer.from(first!.raw_base64!, 'base64')).toEqual(Buffer.from([0x61, 0xe9, 0xff]))
    expect(second).toEqual({ message: 'b' })
  })
})
