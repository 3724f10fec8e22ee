import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectProblem } from '../support/answers.ts'
import { sendCutOff, sendPath, sendRaw } from '../support/raw-socket.ts'
import { topicNames } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
// After each of these the server goes on, and nothing was stored.
afterAll(async () => {
  const names = await topicNames(server.url)
  await server.stop()
  expect(names).toEqual([])
})

describe('a path that is no URL', () => {
  it.each(['/t/%zz', '/t/%', '/t/%c3%28', '/v1/topics/%e0%a4%a', '/%ff'])('%s', async (path) => {
    for (const [method, body] of [
      ['GET', ''],
      ['POST', '{"records":[{"value":1}]}'],
    ] as const) {
      const problem = await expectProblem(
        await sendPath(server.url, path, method, body),
        'invalid_request',
        method === 'POST' ? { written: 'no' } : {},
      )
      expect(problem.detail).toContain(path)
    }
  })

  it('is refused where a name is longer than any name may be', async () => {
    const path = `/t/${'a'.repeat(2000)}`
    await expectProblem(await sendPath(server.url, path, 'POST', '1'), 'invalid_request', {
      in: 'path',
      pointer: '/topic',
      written: 'no',
    })
  })
})

describe('what is not HTTP', () => {
  it.each([
    ['garbage', 'garbage\r\n\r\n'],
    ['binary garbage', Buffer.from([0x16, 0x03, 0x01, 0x00, 0xa5, 0x01, 0x00, 0x00])],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a method nobody knows', 'BREW /t/x HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a header without a colon', 'GET / HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n'],
    ['a space in the path', 'GET /t/a b HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a length that is no number', 'POST /t/x HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n'],
    [
      'two lengths',
      'POST /t/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    ],
    [
      'a length beside chunks',
      'POST /t/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
  ])('%s', async (_, bytes) => {
    const answer = await sendRaw(server.url, bytes)
    const problem = await expectProblem(answer, 'invalid_request', { written: 'no' })
    expect(problem.detail).toContain('HTTP')
  })

  it('a chunk that is none, after a good beginning', async () => {
    const head =
      'POST /t/x HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n'
    const answer = await sendRaw(server.url, head, '5\r\nhello\r\n', 'zz\r\n')
    await expectProblem(answer, 'invalid_request', { written: 'no' })
  })

  it('a body that breaks off', async () => {
    const head = 'POST /t/x HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n'
    for (const rest of [
      'Content-Length: 100\r\n\r\nhello',
      'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
    ]) {
      const answer = await sendCutOff(server.url, head + rest)
      await expectProblem(answer, 'invalid_request', { written: 'no' })
    }
  })

  it('a request without a Host', async () => {
    const answer = await sendRaw(server.url, 'GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n')
    // Node refuses this one itself, before the server sees it.
    expect(answer.status).toBe(400)
  })
})

describe('a compressed body that is broken', () => {
  it.each([
    ['not compressed at all', 'gzip', Buffer.from('{"a":1}')],
    ['a gzip header alone', 'gzip', Buffer.from('1f8b0800000000000003', 'hex')],
    ['not deflate', 'deflate', Buffer.from('{"a":1}')],
    ['cut off in the middle', 'gzip', gzipSync('{"a":1}').subarray(0, -4)],
  ])('%s', async (_, encoding, body) => {
    const head = [
      'POST /t/x HTTP/1.1',
      'Host: x',
      'Connection: close',
      'Content-Type: application/json',
      `Content-Encoding: ${encoding}`,
      `Content-Length: ${String(body.length)}`,
    ]
    const answer = await sendRaw(server.url, `${head.join('\r\n')}\r\n\r\n`, body)
    const problem = await expectProblem(answer, 'invalid_request', { pointer: '', written: 'no' })
    expect(problem.detail).toContain(encoding)
  })
})
