import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectProblem } from '../support/answers.ts'
import { basic, fromLogplex, LOGPLEX } from '../support/drain-calls.ts'
import { frameOf } from '../support/drain-frames.ts'
import { useDrains } from '../support/use-drains.ts'

const drains = useDrains()
let credential = ''
beforeAll(async () => {
  const config = { vercel_verify: 'verify-me', vercel_secret: 'signed-with' }
  credential = (await drains.create('shop', { config })).credential
  await drains.create('plain')
})
const JSON_TYPE = 'application/json'

/** Two frames on one connection, as bytes, and all that the server says to them. */
async function conversation(...bodies: Buffer[]): Promise<string> {
  const { hostname, port, host } = new URL(drains.url)
  const socket = connect(Number(port), hostname)
  afterAll(() => socket.destroy())
  let heard = ''
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString()))
  for (const [n, body] of bodies.entries()) {
    const head = [
      'POST /drains/shop HTTP/1.1',
      `Host: ${host}`,
      `Authorization: ${basic('logs', credential)}`,
      `Content-Type: ${LOGPLEX}`,
      `Logplex-Msg-Count: 1`,
      `Logplex-Frame-Id: C${String(n)}`,
      'User-Agent: Logplex/v1',
      // Logplex leaves it out where there is nothing.
      ...(body.length > 0 ? [`Content-Length: ${String(body.length)}`] : []),
    ]
    socket.write(`${head.join('\r\n')}\r\n\r\n`)
    socket.write(body)
    const answers = new RegExp(`(HTTP/1.1 [^]*?\\r\\n\\r\\n){${String(n + 1)}}`)
    while (!answers.test(heard)) await new Promise((resolve) => socket.once('data', resolve))
  }
  socket.destroy()
  return heard
}

describe('Logplex is answered', () => {
  it('204 on a connection that stays, with nothing behind the head', async () => {
    const heard = await conversation(frameOf('one'), Buffer.alloc(0), frameOf('two'))
    const answers = heard.split('\r\n\r\n')
    // Behind each head begins the next; behind the last there is nothing.
    expect(answers.pop()).toBe('')
    expect(answers).toHaveLength(3)
    for (const answer of answers) {
      expect(answer).toMatch(/^HTTP\/1.1 204 No Content\r\n/)
      expect(answer).not.toMatch(/^transfer-encoding:/im)
      expect(answer).not.toMatch(/^connection: close/im)
      expect(answer).toMatch(/^connection: keep-alive/im)
      // It closes idle connections after 144 to 159 s; a server that does so earlier costs it a try.
      const [, seconds] = /^keep-alive: timeout=(\d+)/im.exec(answer) ?? []
      expect(Number(seconds)).toBeGreaterThanOrEqual(170)
    }
  })

  it('after its lines can be read', async () => {
    for (let n = 0; n < 20; n++) {
      const answer = await drains.postFrame('plain', frameOf(String(n)))
      expect(answer).toMatchObject({ status: 204, text: '' })
      expect(await drains.messages('plain')).toHaveLength(n + 1)
    }
  })

  it('however its body comes: in chunks, as log-shuttle sends it', async () => {
    await drains.create('chunks')
    const body = frameOf('one', 'two')
    const chunks = Array.from({ length: body.length }, (_, n) => body.subarray(n, n + 1))
    const response = await fetch(`${drains.url}/drains/chunks`, {
      method: 'POST',
      headers: {
        authorization: basic('logs', (await drains.rotate('chunks')).credential),
        'content-type': LOGPLEX,
      },
      body: ReadableStream.from(chunks),
      duplex: 'half',
    })
    expect(response.status).toBe(204)
    expect(await drains.messages('chunks')).toEqual(['one', 'two'])
  })
})

describe('what asks before it sends', () => {
  it('GET is told that the drain is ready, with a credential or without', async () => {
    for (const headers of [{}, { authorization: basic('logs', credential) }]) {
      const { status, text } = await drains.call('GET', 'shop', { headers })
      expect([status, JSON.parse(text)]).toEqual([200, { drain: 'shop', status: 'ready' }])
    }
  })

  it('HEAD is 200, as Vector and Fluent Bit want it', async () => {
    const headers = { authorization: basic('logs', credential) }
    expect(await drains.call('HEAD', 'shop', { headers })).toMatchObject({ status: 200, text: '' })
    expect((await drains.call('HEAD', 'shop')).status).toBe(200)
  })

  it('is told that its credential is wrong', async () => {
    const headers = { authorization: basic('logs', 'wrong') }
    await expectProblem(await drains.call('GET', 'shop', { headers }), 'unauthorized')
    expect((await drains.call('HEAD', 'shop', { headers })).status).toBe(401)
  })

  it('OPTIONS is the handshake of CloudEvents webhooks', async () => {
    const headers = {
      'webhook-request-origin': 'events.example.com',
      'webhook-request-rate': '120',
    }
    const answer = await drains.call('OPTIONS', 'shop', { headers })
    expect([200, 204]).toContain(answer.status)
    expect(answer.headers).toMatchObject({
      'webhook-allowed-origin': 'events.example.com',
      'webhook-allowed-rate': '*',
      allow: 'GET, HEAD, OPTIONS, POST',
    })
  })

  it('OPTIONS without an origin names the methods', async () => {
    const answer = await drains.call('OPTIONS', 'shop')
    expect([200, 204]).toContain(answer.status)
    expect(answer.headers['allow']).toContain('POST')
    expect(answer.headers).not.toHaveProperty('webhook-allowed-origin')
  })

  it('PUT is told which methods there are', async () => {
    const answer = await drains.call('PUT', 'shop', {}, 'x')
    await expectProblem(answer, 'method_not_allowed')
    expect(answer.headers['allow']).toBe('POST, GET')
  })
})

describe('Vercel', () => {
  it('finds its verification in every answer, and 200', async () => {
    const headers = { 'content-type': JSON_TYPE, 'x-vercel-signature': 'x' }
    const answers = [
      await drains.call('GET', 'shop'),
      await drains.call('HEAD', 'shop'),
      await drains.post('shop', '[]', { headers }),
      await drains.post('shop', '[{"id":"1","message":"m"}]', { headers }),
      // The set-up request may have no credential at all.
      await drains.call('POST', 'shop', { headers: { 'content-type': JSON_TYPE } }, '{}'),
    ]
    for (const answer of answers) expect(answer.headers['x-vercel-verify']).toBe('verify-me')
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 401])
  })

  it('is let in by its signature alone, and only by the right one', async () => {
    const body = '[{"id":"signed","message":"m"}]'
    // HMAC-SHA1 of the body with the key signed-with.
    const { createHmac } = await import('node:crypto')
    const signature = createHmac('sha1', 'signed-with').update(body).digest('hex')
    const answerTo = (given: string, sent = body, name = 'x-vercel-signature') =>
      drains.call('POST', 'shop', { headers: { 'content-type': JSON_TYPE, [name]: given } }, sent)
    expect((await answerTo(signature)).status).toBe(200)
    expect((await answerTo(signature, body, 'x-zeit-signature')).status).toBe(200)
    for (const wrong of [signature.replace(/^./, 'g'), '', 'x', signature.slice(1)]) {
      await expectProblem(await answerTo(wrong), 'unauthorized', { written: 'no' })
    }
    await expectProblem(await answerTo(signature, `${body} `), 'unauthorized', { written: 'no' })
  })

  it('shows nothing where nothing is set', async () => {
    expect((await drains.call('GET', 'plain')).headers).not.toHaveProperty('x-vercel-verify')
  })
})

describe('Firehose', () => {
  it.each([
    ['records', `{"requestId":"R","timestamp":1,"records":[{"data":"${btoa('{"a":1}')}"}]}`],
    ['no records', '{"requestId":"R","timestamp":1,"records":[]}'],
    ['what is none of its requests', 'not JSON at all'],
    ['nothing', ''],
  ])('gets its request id back, whole: %s', async (_what, body) => {
    const id = 'ed4acda5-034f-9f42-bba1-f29aea6d7d8f'
    const answer = await drains.post('plain', body, {
      headers: {
        'content-type': JSON_TYPE,
        'x-amz-firehose-request-id': `${id}-${String(body.length)}`,
        'x-amz-firehose-protocol-version': '1.0',
        'accept-encoding': 'gzip',
      },
    })
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toMatch(/^application\/json/)
    expect(answer.headers['content-length']).toBe(String(Buffer.byteLength(answer.text)))
    expect(answer.headers).not.toHaveProperty('content-encoding')
    expect(answer.headers).not.toHaveProperty('transfer-encoding')
    const { requestId, timestamp } = JSON.parse(answer.text) as Record<string, unknown>
    expect(requestId).toBe(`${id}-${String(body.length)}`)
    expect(Math.abs(Date.now() - Number(timestamp))).toBeLessThan(3_600_000)
  })
})

describe('what is wrong with the request, not with what it says', () => {
  it.each([
    ['?dedupe=twice', 'dedupe=twice', '/dedupe'],
    ['?app=a b', 'app=a%20b', '/app'],
  ])('%s is 400', async (_what, query, pointer) => {
    const answer = await drains.post('plain', frameOf('x'), { headers: fromLogplex(), query })
    await expectProblem(answer, 'invalid_request', { in: 'query', pointer, written: 'no' })
  })

  it('other parameters are left alone', async () => {
    const query = 'colour=red&x=1'
    const answer = await drains.post('plain', frameOf('x'), { headers: fromLogplex(), query })
    expect(answer.status).toBe(204)
  })

  it('a slash behind the name does no harm', async () => {
    const answer = await drains.post('plain', frameOf('x'), { headers: fromLogplex(), below: '/' })
    expect(answer.status).toBe(204)
  })

  it('?app= tells apps of one drain apart', async () => {
    await drains.create('apps')
    await drains.post('apps', frameOf('x'), { headers: fromLogplex(), query: 'app=shop-eu' })
    await drains.post('apps', 'text', { headers: { 'content-type': 'text/plain' }, query: 'app=b' })
    const keys = (await drains.records('apps')).map(({ key }) => key)
    expect(keys).toEqual(['shop-eu/web.1', 'b'])
  })
})
