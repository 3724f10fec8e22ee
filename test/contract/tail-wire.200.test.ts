import { once } from 'node:events'
import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { expectProblem } from '../support/answers.ts'
import { sendPath } from '../support/raw-socket.ts'
import { produce } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await produce(server.url, 'log', [
    { key: 'k', timestamp: 1, value: 'é' },
    { timestamp: 2, value: { a: [1] } },
  ])
})
afterAll(() => server.stop())

const PATH = '/v1/topics/log/tail?from=earliest&until=latest'
const FIRST = '{"partition":0,"offset":0,"timestamp":1,"key":"k","value":"é"}'
const SECOND = '{"partition":0,"offset":1,"timestamp":2,"value":{"a":[1]}}'
const BEGIN = '{"type":"begin","position":"0:0","until":"0:2"}'
const END = '{"type":"end","reason":"until","position":"0:2"}'

describe('a tail on the wire', () => {
  it('as NDJSON is a line for each record and each message', async () => {
    const { text } = await supertest(server.url).get(PATH).expect(200)
    expect(text).toBe([BEGIN, FIRST, SECOND, END, ''].join('\n'))
  })

  it('as server-sent events is an event for each, with the position behind it as its id', async () => {
    const events = supertest(server.url).get(PATH).accept('text/event-stream').buffer(true)
    const { text } = await events.expect(200).expect('content-type', /^text\/event-stream/)
    const expected = [
      'retry: 1000',
      `event: begin\ndata: ${BEGIN}\nid: 0:0`,
      `data: ${FIRST}\nid: 0:1`,
      `data: ${SECOND}\nid: 0:2`,
      `event: end\ndata: ${END}\nid: 0:2`,
      '',
    ]
    expect(text).toBe(expected.join('\n\n'))
  })

  it('as a WebSocket has records of one partition in one message', async () => {
    const socket = new WebSocket(server.url.replace('http', 'ws') + PATH)
    onTestFinished(() => socket.terminate())
    const texts: string[] = []
    socket.on('message', (data: Buffer, isBinary) => {
      expect(isBinary).toBe(false)
      texts.push(data.toString())
    })
    await once(socket, 'close')
    expect(texts).toEqual([
      BEGIN,
      `{"type":"records","records":[${FIRST},${SECOND}],"position":"0:2"}`,
      END,
    ])
    expect(socket.extensions).toBe('')
  })

  it.each(['*/*', 'text/event-stream'])('is kept by no cache or proxy: %s', async (accept) => {
    await supertest(server.url)
      .get(PATH)
      .set('accept', accept)
      .expect('cache-control', 'no-cache, no-transform')
      .expect('x-accel-buffering', 'no')
  })
})

describe('the form of a tail', () => {
  it.each([
    ['*/*', 'application/x-ndjson'],
    ['', 'application/x-ndjson'],
    ['text/plain', 'application/x-ndjson'],
    ['application/jsonl', 'application/x-ndjson'],
    ['text/*', 'application/x-ndjson'],
    ['text/event-stream', 'text/event-stream'],
    ['Text/Event-Stream; charset=utf-8', 'text/event-stream'],
    ['text/event-stream, */*;q=0.1', 'text/event-stream'],
    ['application/x-ndjson;q=0.5, text/event-stream', 'text/event-stream'],
    ['application/x-ndjson, text/event-stream;q=0.5', 'application/x-ndjson'],
  ])('for those who accept "%s" is %s', async (accept, type) => {
    await supertest(server.url)
      .get(PATH)
      .set('accept', accept)
      .expect(200)
      .expect('content-type', `${type}; charset=utf-8`)
  })

  it.each(['application/json', 'image/png', 'text/event-stream;q=0', '*/*;q=0'])(
    'for those who accept "%s" is none',
    async (accept) => {
      for (const path of [PATH, '/v1/tail?topics=log']) {
        const answer = await supertest(server.url).get(path).set('accept', accept)
        await expectProblem(answer, 'not_acceptable')
      }
    },
  )
})

it.each(['/t/log', PATH, '/v1/tail?topics=log'])(
  'HEAD %s is not taken: a tail has no end to wait for',
  async (path) => {
    const { status, headers } = await sendPath(server.url, path, 'HEAD')
    expect(status).toBe(405)
    expect(headers['allow']).toContain('GET')
  },
)
