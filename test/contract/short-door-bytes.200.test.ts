import { deflateSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fetchRecord, produceBody, send } from '../../src/client/index.ts'
import { expectAnswer } from '../support/answers.ts'
import { storedRecords } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

type Bytes = Buffer<ArrayBuffer>

async function post(topic: string, body: Bytes, headers: Record<string, string>): Promise<void> {
  const response = await send(server.url, produceBody, { params: { topic }, body, headers })
  await expectAnswer(produceBody, response)
}

async function valueOf(topic: string): Promise<Buffer> {
  const response = await send(server.url, fetchRecord, {
    params: { topic, partition: 0, offset: 0 },
    headers: { accept: 'application/octet-stream' },
  })
  expect(response.headers.get('content-type')).toBe('application/octet-stream')
  return Buffer.from(await response.arrayBuffer())
}

const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))

describe('bytes by the short door', () => {
  it.each<[string, Bytes]>([
    ['every byte there is', EVERY_BYTE],
    ['one zero byte', Buffer.from([0])],
    ['newlines only', Buffer.from('\n\r\n')],
    ['bytes that happen to be text', Buffer.from('hello')],
    ['a PNG signature', Buffer.from('89504e470d0a1a0a', 'hex')],
    ['700,000 bytes', Buffer.alloc(700_000, EVERY_BYTE)],
  ])('%s come back identical', async (name, bytes) => {
    const topic = name.replaceAll(/\W/g, '-')
    await post(topic, bytes, { 'content-type': 'image/png' })
    expect((await valueOf(topic)).equals(bytes)).toBe(true)
    const stored = `{"value_base64":"${bytes.toString('base64')}"}`
    expect((await storedRecords(server.url, topic))[0] === stored).toBe(true)
  })

  it('text that is not UTF-8 comes back as the bytes it was', async () => {
    const latin1 = Buffer.from('café', 'latin1')
    await post('latin1', latin1, { 'content-type': 'text/plain; charset=iso-8859-1' })
    expect(await valueOf('latin1')).toEqual(latin1)
  })

  it('a form that is not UTF-8 is bytes too', async () => {
    const bytes = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')])
    await post('form', bytes, { 'content-type': 'application/x-www-form-urlencoded' })
    expect(await valueOf('form')).toEqual(bytes)
  })

  it('text with a byte order mark keeps it', async () => {
    await post('bom', Buffer.from('\ufeffhi'), { 'content-type': 'text/plain' })
    expect((await valueOf('bom')).toString('hex')).toBe('efbbbf6869')
  })
})

describe('Content-Encoding', () => {
  it.each<[string, (bytes: Bytes) => Bytes]>([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['GZIP', gzipSync],
    ['deflate', deflateSync],
    ['identity', (bytes) => bytes],
  ])('%s is taken off before the body is read', async (encoding, encode) => {
    const topic = `encoded-${encoding}`
    const headers = { 'content-type': 'application/json', 'content-encoding': encoding }
    await post(topic, encode(Buffer.from('{"z":1,"a":"é"}')), headers)
    expect(await storedRecords(server.url, topic)).toEqual(['{"value":{"z":1,"a":"é"}}'])
  })
})
