import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectProblem } from '../support/answers.ts'
import { produce } from '../support/records.ts'
import { sendRaw } from '../support/raw-socket.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { openTail, TAIL_FORMS } from '../support/tail-reader.ts'

const APP = 'https://app.example.com'

let plain: TestServer
let open: TestServer
let named: TestServer
beforeAll(async () => {
  plain = await startTestServer()
  open = await startTestServer({ TAILRACE_ALLOWED_ORIGINS: '*' })
  named = await startTestServer({ TAILRACE_ALLOWED_ORIGINS: `${APP}, http://10.0.0.1:8080` })
  for (const { url } of [plain, open, named]) await produce(url, 'log', [{ value: 1 }])
})
afterAll(() => Promise.all([plain, open, named].map((server) => server.stop())))

type Which = 'plain' | 'open' | 'named'
const serverOf = (which: Which) => ({ plain, open, named })[which]

/** `host`: what the Host header says, where it is not the server's own address. */
interface Case {
  which: Which
  origin: string
  host?: string
}

const ALLOWED: Case[] = [
  { which: 'plain', origin: 'http://localhost:3000' },
  { which: 'plain', origin: 'https://localhost' },
  { which: 'plain', origin: 'http://127.0.0.1' },
  { which: 'plain', origin: 'http://[::1]:5173' },
  { which: 'plain', origin: 'https://log.example.com', host: 'log.example.com' },
  { which: 'plain', origin: 'http://log.example.com:7070', host: 'log.example.com:7070' },
  { which: 'open', origin: 'https://evil.example.com' },
  { which: 'open', origin: 'null' },
  { which: 'named', origin: APP },
  { which: 'named', origin: 'http://10.0.0.1:8080' },
  { which: 'named', origin: 'http://localhost:3000' },
]

const REFUSED: Case[] = [
  { which: 'plain', origin: APP },
  { which: 'plain', origin: 'null' },
  { which: 'plain', origin: 'file://' },
  { which: 'plain', origin: 'http://localhost.evil.example.com' },
  { which: 'plain', origin: 'http://127.0.0.1.evil.example.com' },
  { which: 'plain', origin: 'http://evil.example.com#localhost' },
  { which: 'plain', origin: 'http://localhost@evil.example.com' },
  { which: 'plain', origin: 'http://evil-log.example.com', host: 'log.example.com' },
  { which: 'plain', origin: 'http://log.example.com:8080', host: 'log.example.com:7070' },
  { which: 'plain', origin: 'not an origin' },
  { which: 'plain', origin: '*' },
  { which: 'named', origin: 'http://app.example.com' },
  { which: 'named', origin: `${APP}:8443` },
  { which: 'named', origin: `${APP}.evil.example.com` },
  { which: 'named', origin: 'https://sub.app.example.com' },
  { which: 'named', origin: 'http://10.0.0.1' },
]

const headersOf = ({ origin, host }: Case) => ({ origin, ...(host === undefined ? {} : { host }) })
const PATHS = ['/v1/topics/log/tail', '/v1/tail?topics=log']

describe.each(ALLOWED)('a page of $origin on the $which server (Host $host)', (one) => {
  const { which, origin } = one

  it.each(PATHS)('may open a WebSocket: %s', async (path) => {
    const tail = await openTail(serverOf(which).url, 'websocket', path, headersOf(one))
    expect(await tail.next()).toMatchObject({ type: 'begin' })
  })

  it.each(['ndjson', 'sse'] as const)('may read a tail as %s', async (form) => {
    const tail = await openTail(serverOf(which).url, form, PATHS[0]!, headersOf(one))
    const { headers } = tail.response!
    expect(headers['access-control-allow-origin']).toBe(origin)
    expect(headers['vary']).toMatch(/\borigin\b/i)
    expect(headers).not.toHaveProperty('access-control-allow-credentials')
  })

  it('may read records, and the headers that say where it is', async () => {
    const { headers } = await supertest(serverOf(which).url)
      .get('/v1/topics/log/partitions/0/records')
      .set({ ...headersOf(one), accept: 'application/x-ndjson' })
      .expect(200)
    expect(headers['access-control-allow-origin']).toBe(origin)
    const exposed = headers['access-control-expose-headers']!.toLowerCase().split(', ')
    const ours = Object.keys(headers).filter((name) => name.startsWith('tailrace-'))
    expect(ours.length).toBeGreaterThan(0)
    for (const name of ours) expect(exposed).toContain(name)
  })

  it('may read problems', async () => {
    const answer = await supertest(serverOf(which).url).get('/t/missing').set(headersOf(one))
    await expectProblem(answer, 'unknown_topic_or_partition')
    expect(answer.headers['access-control-allow-origin']).toBe(origin)
  })

  it.each([
    ['POST', '/v1/topics/log/records', 'content-type, idempotency-key'],
    ['GET', '/v1/topics/log/tail', 'last-event-id'],
    ['PATCH', '/v1/topics/log', 'content-type'],
    ['DELETE', '/v1/topics/log', undefined],
  ])('may send %s %s', async (method, path, wanted) => {
    const { headers } = await supertest(serverOf(which).url)
      .options(path)
      .set({ ...headersOf(one), 'access-control-request-method': method })
      .set(wanted === undefined ? {} : { 'access-control-request-headers': wanted })
      .expect(204)
    expect(headers['access-control-allow-origin']).toBe(origin)
    expect(headers['access-control-allow-methods']!.split(/, ?/)).toContain(method)
    if (wanted !== undefined) expect(headers['access-control-allow-headers']).toBe(wanted)
  })
})

describe.each(REFUSED)('a page of $origin on the $which server (Host $host)', (one) => {
  const { which } = one

  it.each(PATHS)('may not open a WebSocket: %s', async (path) => {
    const { url } = serverOf(which)
    const request = [
      `GET ${path} HTTP/1.1`,
      `Host: ${one.host ?? new URL(url).host}`,
      `Origin: ${one.origin}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ]
    const answer = await sendRaw(url, `${request.join('\r\n')}\r\n\r\n`)
    const problem = await expectProblem(answer, 'origin_not_allowed')
    expect(problem.hint).toContain('TAILRACE_ALLOWED_ORIGINS')
  })

  it.each(['ndjson', 'sse'] as const)('is not told that it may read: %s', async (form) => {
    const tail = await openTail(serverOf(which).url, form, PATHS[0]!, headersOf(one))
    const { headers } = tail.response!
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
    expect(headers['vary']).toMatch(/\borigin\b/i)
  })

  it('is not told that it may write', async () => {
    const { headers } = await supertest(serverOf(which).url)
      .options('/v1/topics/log/records')
      .set({ ...headersOf(one), 'access-control-request-method': 'POST' })
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
  })
})

describe('a caller that is no browser', () => {
  it.each(TAIL_FORMS)('sends no Origin and is not asked for one: %s', async (form) => {
    const tail = await openTail(plain.url, form, `${PATHS[0]!}?from=earliest`)
    expect(await tail.records(1)).toMatchObject([{ value: 1 }])
    const { headers } = tail.response ?? { headers: {} }
    expect(headers).not.toHaveProperty('access-control-allow-origin')
  })
})
