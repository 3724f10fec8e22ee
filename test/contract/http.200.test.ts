import { Agent, get } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { converse } from '../support/raw-socket.ts'
import { highWatermarks, produce, storedRecords } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

function request(topic: string, body: string, ...fields: string[]): string {
  const length = `Content-Length: ${String(body.length)}`
  const head = [`POST /t/${topic} HTTP/1.1`, 'Host: x', 'Content-Type: text/plain', ...fields]
  return [...head, length, '', body].join('\r\n')
}

const LAST = 'Connection: close'

describe('requests on one connection', () => {
  it('sent without waiting are answered in order, each with its own answer', async () => {
    const values = ['a', 'b', 'c', 'd']
    const requests = values.map((v) => request('piped', v, ...(v === 'd' ? [LAST] : [])))
    const text = await converse(server.url, requests.join(''))
    const offsets = [...text.matchAll(/"base_offset":(\d)/g)].map(([, offset]) => Number(offset))
    const stored = await storedRecords(server.url, 'piped')
    expect(offsets.map((offset) => stored[offset])).toEqual(values.map((v) => `{"value":"${v}"}`))
  })

  it('may be many, and leave nothing behind on it', async () => {
    await produce(server.url, 'many', [{ value: 1 }])
    const warnings: Error[] = []
    const warn = (warning: Error) => warnings.push(warning)
    process.on('warning', warn)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const paths = [
      '/t/many?until=latest',
      '/v1/topics/many/partitions/0/records?from=latest&max_wait_ms=1',
    ]
    for (let n = 0; n < 40; n++) {
      await new Promise<void>((resolve, reject) => {
        get(server.url + paths[n % 2]!, { agent }, (response) => {
          response.resume().on('end', resolve)
        }).on('error', reject)
      })
    }
    agent.destroy()
    process.off('warning', warn)
    expect(warnings.filter(({ name }) => name === 'MaxListenersExceededWarning')).toEqual([])
  })

  it('are answered truly where garbage follows: what is stored is not called unwritten', async () => {
    const text = await converse(server.url, `${request('truly', 'stored')}garbage\r\n\r\n`)
    await expect
      .poll(() => fetch(`${server.url}/t/truly?until=latest`).then(({ ok }) => ok))
      .toBe(true)
    await expect.poll(() => highWatermarks(server.url, 'truly')).toEqual([1])
    const [first] = text.split('HTTP/1.1 ').slice(1)
    // Its own answer, or none.
    if (first !== undefined) expect(first).toMatch(/^200 /)
  })
})

describe('a body', () => {
  it('may come in chunks', async () => {
    const head = 'POST /t/chunks HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n'
    const framing = `Transfer-Encoding: chunked\r\n${LAST}\r\n\r\n`
    await converse(server.url, head + framing, '3\r\nhel\r\n', '2\r\nlo\r\n', '0\r\n\r\n')
    expect(await storedRecords(server.url, 'chunks')).toEqual(['{"value":"hello"}'])
  })

  it('may wait until it is asked for', async () => {
    const text = await converse(server.url, request('asked', 'v', 'Expect: 100-continue', LAST))
    expect(text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /)
  })

  it('may be missing, with its length', async () => {
    await converse(server.url, `POST /t/none HTTP/1.1\r\nHost: x\r\n${LAST}\r\n\r\n`)
    expect(await storedRecords(server.url, 'none')).toEqual(['{"value":""}'])
  })
})
