import { deflateSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LIMITS } from '../../src/contract/limits.ts'
import { createTopic, produceBody, send } from '../../src/client/index.ts'
import { ask, expectAnswer, expectProblem } from '../support/answers.ts'
import { sendRaw } from '../support/raw-socket.ts'
import { topicNames } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
// Nothing here may have made a topic, but for the one that was asked for.
afterAll(async () => {
  const names = await topicNames(server.url)
  await server.stop()
  expect(names).toEqual(['large'])
})

const head = (...fields: string[]) =>
  ['POST /t/none HTTP/1.1', 'Host: x', 'Content-Type: text/plain', ...fields, '', ''].join('\r\n')

describe('a body over 16 MiB', () => {
  it('that says so is refused before it is sent', async () => {
    const length = `Content-Length: ${String(LIMITS.body_bytes + 1)}`
    const answer = await sendRaw(server.url, head(length))
    await expectProblem(answer, 'request_too_large', { written: 'no' })
  })

  it('that comes in chunks is refused once it has passed the bound', async () => {
    const chunk = `100000\r\n${'x'.repeat(0x100000)}\r\n`
    const chunks = Array.from({ length: 17 }, () => chunk)
    const answer = await sendRaw(server.url, head('Transfer-Encoding: chunked'), ...chunks)
    await expectProblem(answer, 'request_too_large', { written: 'no' })
  })

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ])('that was small before it was inflated (%s)', async (encoding, encode) => {
    const body = encode(Buffer.alloc(LIMITS.body_bytes + 1, 'x'))
    expect(body.length).toBeLessThan(100_000)
    const response = await send(server.url, produceBody, {
      params: { topic: 'none' },
      headers: { 'content-type': 'text/plain', 'content-encoding': encoding },
      body,
    })
    await expectProblem(response, 'request_too_large', { written: 'no' })
  })

  it('that would inflate to 1 GiB costs no more than the bound', async () => {
    // A gzip file of several members, each 16 MiB of zeros.
    const body = Buffer.concat(Array(64).fill(gzipSync(Buffer.alloc(LIMITS.body_bytes))))
    const response = await send(server.url, produceBody, {
      params: { topic: 'none' },
      headers: { 'content-encoding': 'gzip' },
      body,
    })
    await expectProblem(response, 'request_too_large', { written: 'no' })
  })
})

describe('a body of just 16 MiB', () => {
  it('is taken, whole or inflated', async () => {
    const config = { max_record_bytes: LIMITS.max_record_bytes }
    await ask(server.url, createTopic, { body: { name: 'large', config } })
    const value = Buffer.alloc(LIMITS.body_bytes, ' ')
    // JSON around which there is much room.
    value.write('[1]')
    for (const [encoding, body] of [
      ['identity', value],
      ['gzip', gzipSync(value)],
    ] as const) {
      const response = await send(server.url, produceBody, {
        params: { topic: 'large' },
        headers: { 'content-type': 'application/json', 'content-encoding': encoding },
        body,
      })
      await expectAnswer(produceBody, response)
    }
  })
})
