import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { expectProblem } from '../support/answers.ts'
import { converse, sendRaw } from '../support/raw-socket.ts'
import { produce, recordLines } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { until } from '../support/within.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await produce(server.url, 'log', [{ value: 1 }])
})
afterAll(() => server.stop())

const lines = (...fields: readonly string[]) => `${fields.join('\r\n')}\r\n\r\n`

const WEBSOCKET = [
  'Host: localhost',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]

describe('an upgrade to a WebSocket', () => {
  it.each(['/t/log', '/v1/topics', '/v1/topics/log', '/livez', '/docs', '/'])(
    'of %s, which has none, is refused',
    async (path) => {
      const answer = await sendRaw(server.url, lines(`GET ${path} HTTP/1.1`, ...WEBSOCKET))
      await expectProblem(answer, 'invalid_request')
    },
  )

  it.each(['/nowhere', '/v1/topics/log/tails', '/v1/topics/log/tail/x'])(
    'of %s, where nothing is, is a 404',
    async (path) => {
      const answer = await sendRaw(server.url, lines(`GET ${path} HTTP/1.1`, ...WEBSOCKET))
      await expectProblem(answer, 'not_found')
    },
  )

  it.each([
    ['POST', '/v1/topics/log/tail', 'method_not_allowed'],
    ['PUT', '/v1/tail', 'method_not_allowed'],
    ['POST', '/t/log', 'invalid_request'],
    ['DELETE', '/v1/topics/log', 'invalid_request'],
  ] as const)('with %s %s is refused, and does nothing', async (method, path, code) => {
    const before = await recordLines(server.url, 'log')
    const fields = [...WEBSOCKET, 'Content-Type: text/plain', 'Content-Length: 5']
    const request = `${lines(`${method} ${path} HTTP/1.1`, ...fields)}hello`
    await expectProblem(await sendRaw(server.url, request), code)
    expect(await recordLines(server.url, 'log')).toEqual(before)
  })

  it.each([
    ['without a key', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'X-Nothing: 1'],
    ['with a bad key', 'dGhlIHNhbXBsZSBub25jZQ==', 'short'],
    ['of another version', 'Version: 13', 'Version: 7'],
  ])('%s is a 400', async (_, what, instead) => {
    const fields = WEBSOCKET.map((field) => field.replace(what, instead))
    const answer = await sendRaw(server.url, lines('GET /v1/topics/log/tail HTTP/1.1', ...fields))
    expect(answer.status).toBe(400)
  })

  it('may be spelt in any case', async () => {
    const fields = WEBSOCKET.map((field) => field.replace(/: websocket/, ': WebSocket'))
    const { hostname, port } = new URL(server.url)
    const socket = connect(Number(port), hostname)
    onTestFinished(() => void socket.destroy())
    socket.write(lines('GET /v1/topics/log/tail HTTP/1.1', ...fields))
    let text = ''
    socket.on('data', (chunk) => (text += String(chunk)))
    await until(() => text.includes('"begin"'))
    expect(text).toMatch(/^HTTP\/1\.1 101 /)
  })
})

/** What curl --http2, and Java's HttpClient, send with their first request. */
const H2C = [
  'Host: localhost',
  'Connection: Upgrade, HTTP2-Settings',
  'Upgrade: h2c',
  'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA',
]
const CLOSE = ['Host: localhost', 'Connection: close']

/** Status and body of each answer on a connection. */
function answersOf(text: string): [number, string][] {
  return text
    .split(/(?=HTTP\/1\.1 \d)/)
    .map((answer) => [Number(answer.split(' ')[1]), answer.slice(answer.indexOf('\r\n\r\n') + 4)])
}

describe('an offer of HTTP/2', () => {
  it('is passed over: the request is answered, and so are the next ones on the connection', async () => {
    const { hostname, port } = new URL(server.url)
    const socket = connect(Number(port), hostname)
    onTestFinished(() => void socket.destroy())
    let text = ''
    socket.on('data', (chunk) => (text += String(chunk)))
    for (let count = 1; count <= 5; count++) {
      socket.write(lines('GET /livez HTTP/1.1', ...H2C))
      await until(() => answersOf(text).length === count && text.endsWith('}'))
    }
    expect(answersOf(text).map(([status]) => status)).toEqual([200, 200, 200, 200, 200])
  })

  it('waits for the answers to requests before it on the connection', async () => {
    const text = await converse(
      server.url,
      lines('GET /livez HTTP/1.1', ...H2C),
      lines('GET /v1/topics/log/partitions/0/records?max_records=1 HTTP/1.1', ...H2C),
      lines('GET /livez HTTP/1.1', ...CLOSE),
    )
    const answers = answersOf(text)
    expect(answers.map(([status]) => status)).toEqual([200, 200, 200])
    expect(answers[1]![1]).toContain('"value":1')
  })

  it('with a body is passed over, and the body is read', async () => {
    const body = '{"records":[{"value":"é"},{"value":2}]}'
    const length = `Content-Length: ${String(Buffer.byteLength(body))}`
    const head = ['Content-Type: application/json', length]
    const text = await converse(
      server.url,
      lines('POST /v1/topics/h2c/records HTTP/1.1', ...H2C, ...head) + body,
      lines('GET /livez HTTP/1.1', ...CLOSE),
    )
    expect(answersOf(text).map(([status]) => status)).toEqual([200, 200])
    expect((await recordLines(server.url, 'h2c')).join()).toContain('"value":"é"')
  })

  it('with a body in chunks, and in pieces, is passed over too', async () => {
    const head = ['Content-Type: text/plain', 'Transfer-Encoding: chunked']
    const request = lines('POST /t/chunked HTTP/1.1', ...H2C, ...head)
    const { hostname, port } = new URL(server.url)
    const socket = connect(Number(port), hostname)
    onTestFinished(() => void socket.destroy())
    let text = ''
    socket.on('data', (chunk) => (text += String(chunk)))
    socket.write(`${request}5\r\nhel`)
    // Another request goes there and back, so that the first piece has surely been read by itself.
    await produce(server.url, 'log', [{ value: 1 }])
    socket.write('lo\r\n6\r\n world\r\n0\r\n\r\n')
    await until(() => text.includes('record_count'))
    expect(text).toMatch(/^HTTP\/1\.1 200 /)
    socket.write(lines('GET /livez HTTP/1.1', ...CLOSE))
    await until(() => text.split('HTTP/1.1 200 ').length === 3)
    expect(await recordLines(server.url, 'chunked')).toEqual([
      expect.stringMatching(/"value":"hello world"\}$/),
    ])
  })

  it('with a large body is passed over, and the body is read', async () => {
    const body = 'x'.repeat(1_000_000)
    const head = ['Content-Type: text/plain', `Content-Length: ${String(body.length)}`]
    const request = lines('POST /t/large HTTP/1.1', ...H2C, ...head) + body
    const text = await converse(server.url, request, lines('GET /livez HTTP/1.1', ...CLOSE))
    expect(answersOf(text).map(([status]) => status)).toEqual([200, 200])
    expect((await recordLines(server.url, 'large'))[0]).toContain(body)
  })

  it('of a tail gets the tail', async () => {
    const text = await converse(
      server.url,
      lines('GET /t/log?until=latest HTTP/1.1', ...H2C),
      lines('GET /v1/topics/log/tail?until=latest HTTP/1.1', ...H2C),
      lines('GET /livez HTTP/1.1', ...CLOSE),
    )
    expect(text.split('HTTP/1.1 200 ')).toHaveLength(4)
    expect(text).toContain('"value":1}\n')
    expect(text).toContain('"type":"end"')
  })

  it('with a problem is told the problem', async () => {
    const text = await converse(
      server.url,
      lines('GET /nowhere HTTP/1.1', ...H2C),
      lines('PUT /v1/topics HTTP/1.1', ...H2C),
      lines('GET /livez HTTP/1.1', ...CLOSE),
    )
    expect(answersOf(text).map(([status]) => status)).toEqual([404, 405, 200])
  })

  it('on the last request of a connection does not keep it open', async () => {
    const fields = H2C.map((field) => field.replace('Upgrade, ', 'close, Upgrade, '))
    const text = await converse(server.url, lines('GET /livez HTTP/1.1', ...fields))
    expect(answersOf(text).map(([status]) => status)).toEqual([200])
  })

  it.each(['TLS/1.0', 'h2c, websocket', 'websocket/2', 'foo', ''])(
    'and any other upgrade is passed over: %s',
    async (protocol) => {
      const fields = ['Host: localhost', 'Connection: Upgrade', `Upgrade: ${protocol}`]
      const text = await converse(
        server.url,
        lines('GET /livez HTTP/1.1', ...fields),
        lines('GET /livez HTTP/1.1', ...CLOSE),
      )
      expect(answersOf(text).map(([status]) => status)).toEqual([200, 200])
    },
  )

  it('keeps the bytes of headers as they were', async () => {
    const { hostname, port } = new URL(server.url)
    const socket = connect(Number(port), hostname)
    let text = ''
    const isOver = new Promise<void>((resolve) => socket.on('close', () => resolve()))
    socket.on('data', (chunk) => (text += String(chunk)))
    const fields = [...H2C, 'Content-Type: text/plain', 'Content-Length: 1', 'Idempotency-Key: k']
    socket.write(lines('POST /t/bytes?key=%C3%A9 HTTP/1.1', ...fields, 'X-Latin: é') + '1')
    socket.write(lines('GET /livez HTTP/1.1', ...CLOSE))
    await isOver
    expect(answersOf(text).map(([status]) => status)).toEqual([200, 200])
    expect((await recordLines(server.url, 'bytes')).join()).toContain('"key":"é"')
  })

  it('is no way around the bound of a request', async () => {
    const head = ['Content-Type: text/plain', `Content-Length: ${String(17 * 1024 * 1024)}`]
    const answer = await sendRaw(server.url, lines('POST /t/huge HTTP/1.1', ...H2C, ...head))
    await expectProblem(answer, 'request_too_large', { written: 'no' })
  })
})

describe('an upgrade behind another request on the connection', () => {
  it('to a WebSocket waits for the answer to that', async () => {
    const { hostname, port } = new URL(server.url)
    const socket = connect(Number(port), hostname)
    onTestFinished(() => void socket.destroy())
    let text = ''
    socket.on('data', (chunk) => (text += String(chunk)))
    const first = lines('GET /v1/topics/log/tail?until=latest HTTP/1.1', 'Host: localhost')
    socket.write(first + lines('GET /v1/topics/log/tail HTTP/1.1', ...WEBSOCKET))
    await until(() => text.includes('"up_to_date"'))
    expect(text).toMatch(/^HTTP\/1\.1 200 [^]*"type":"end"[^]*HTTP\/1\.1 101 [^]*"type":"begin"/)
  })

  it.each([
    ['HTTP/2', H2C],
    ['a WebSocket', WEBSOCKET],
  ])('that never ends hurts nobody when its caller is gone: to %s', async (_, fields) => {
    const { hostname, port } = new URL(server.url)
    for (const hangUp of ['destroy', 'resetAndDestroy', 'end'] as const) {
      const socket = connect(Number(port), hostname)
      let text = ''
      socket.on('data', (chunk) => (text += String(chunk)))
      const first = lines('GET /v1/topics/log/tail HTTP/1.1', 'Host: localhost')
      socket.write(first + lines('GET /v1/topics/log/tail HTTP/1.1', ...fields))
      await until(() => text.includes('"up_to_date"'))
      socket[hangUp]()
      // What is written to a caller that is gone fails, and nothing else may.
      for (let value = 0; value < 3; value++) await produce(server.url, 'log', [{ value }])
      socket.destroy()
    }
    expect((await sendRaw(server.url, lines('GET /livez HTTP/1.1', ...CLOSE))).status).toBe(200)
  })
})
