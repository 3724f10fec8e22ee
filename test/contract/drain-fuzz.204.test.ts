import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fromLogplex, LOGPLEX } from '../support/drain-calls.ts'
import { bodyFrom, bodyOf, lineOf } from '../support/drain-frames.ts'
import { useDrains } from '../support/use-drains.ts'

const drains = useDrains()

const anyText = fc.string({ unit: 'binary', maxLength: 60 })
const anyBytes = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))
const anyLine = fc.oneof(
  anyText.map((text) => lineOf(text)),
  fc.record({ app: anyText, process: anyText, time: anyText }).map((head) => lineOf('x', head)),
  fc.constantFrom('\n', '0 ', '7 <1>1 ', '<190>1 - host - - - \n', '99999999999999999999 <1>1 x'),
)

/** Bodies that are nearly something: of the pieces that senders make theirs of, cut, mixed and repeated. */
const anyBody = fc.oneof(
  fc.array(anyLine, { maxLength: 8 }).map((lines) => bodyOf(...lines)),
  fc.array(anyLine, { maxLength: 8 }).map((lines) => Buffer.from(lines.join(''))),
  fc
    .tuple(fc.array(anyLine, { minLength: 1, maxLength: 5 }), fc.nat(400), anyBytes)
    .map(([lines, at, noise]) => {
      const body = bodyOf(...lines)
      return Buffer.concat([body.subarray(0, at), noise, body.subarray(at)])
    }),
  fc.json({ maxDepth: 4 }).map((text) => Buffer.from(text)),
  fc.array(fc.json({ maxDepth: 2 }), { maxLength: 5 }).map((all) => Buffer.from(all.join('\n'))),
  fc.tuple(fc.json(), fc.nat(50)).map(([text, at]) => Buffer.from(text).subarray(0, at)),
  fc
    .record({ message: fc.object(), subscription: anyText })
    .map((push) => Buffer.from(JSON.stringify(push))),
  fc
    .array(fc.record({ data: fc.oneof(anyText, fc.base64String()) }), { maxLength: 4 })
    .map((records) => Buffer.from(JSON.stringify({ requestId: 'x', records }))),
  anyBytes,
)

const asSent = fc.constantFrom<(body: Buffer) => { body: Buffer; headers: object }>(
  (body) => ({ body, headers: {} }),
  (body) => ({ body: gzipSync(body), headers: { 'content-encoding': 'gzip' } }),
  (body) => ({ body: gzipSync(body), headers: {} }),
  (body) => ({ body: gzipSync(body).subarray(0, -3), headers: { 'content-encoding': 'gzip' } }),
  (body) => ({ body, headers: { 'content-encoding': 'gzip' } }),
  (body) => ({ body, headers: { 'content-encoding': 'deflate' } }),
)

const TYPES: Record<string, string>[] = [
  { 'content-type': 'application/json' },
  { 'content-type': 'application/x-ndjson' },
  { 'content-type': 'text/plain' },
  { 'content-type': 'application/octet-stream' },
  { 'content-type': 'application/x-www-form-urlencoded' },
  { 'content-type': 'application/cloudevents+json' },
  { 'content-type': 'application/cloudevents-batch+json' },
  { 'ce-id': '\xe9 %zz', 'ce-specversion': '1.0', 'ce-source': '%00', 'content-type': 'a/b' },
  { 'x-vercel-signature': 'x', 'content-type': 'application/json' },
  { 'x-amz-firehose-request-id': 'x', 'content-type': 'application/json' },
  {},
]
let count = 0

async function sendTo(body: Buffer, headers: object): Promise<string> {
  const drain = `fuzz-${String(++count)}`
  await drains.create(drain, { partitions: 1 })
  const answer = await drains.post(drain, body, { headers: { ...headers } })
  expect([200, 204], answer.text).toContain(answer.status)
  return drain
}

it('no body of Logplex is refused, and each can be had back', async () => {
  await fc.assert(
    fc.asyncProperty(anyBody, asSent, fc.boolean(), async (plain, send, isNamed) => {
      const { body, headers } = send(plain)
      const type = isNamed ? fromLogplex(`F${count}`) : { 'content-type': LOGPLEX }
      const drain = await sendTo(body, { ...type, ...headers })
      const isKept = body.equals(gzipSync(plain).subarray(0, -3))
      const kept = bodyFrom(await drains.values(drain))
      expect(kept.toString('base64')).toBe((isKept ? body : plain).toString('base64'))
    }),
    { seed: 7070, numRuns: 120 },
  )
}, 60_000)

it('no body of another sender is refused, and what is stored can be read', async () => {
  await fc.assert(
    fc.asyncProperty(anyBody, asSent, fc.constantFrom(...TYPES), async (plain, send, type) => {
      const { body, headers } = send(plain)
      const drain = await sendTo(body, { ...type, ...headers })
      const records = await drains.records(drain)
      const { received } = await drains.describe(drain)
      expect(received.frames).toBe(1)
      if (records.length > 0) expect(received.lines).toBeGreaterThan(0)
    }),
    { seed: 7071, numRuns: 120 },
  )
}, 60_000)

it('no body of OTLP is a failure of the server', async () => {
  await drains.create('otlp')
  const types = fc.constantFrom('application/json', 'application/x-protobuf')
  const signals = fc.constantFrom('logs', 'metrics', 'traces')
  await fc.assert(
    fc.asyncProperty(anyBody, asSent, types, signals, async (plain, send, type, signal) => {
      const { body, headers } = send(plain)
      const answer = await drains.post('otlp', body, {
        below: `/v1/${signal}`,
        headers: { 'content-type': type, ...headers },
      })
      expect([200, 400], answer.text).toContain(answer.status)
      expect(answer.headers['content-type']).toBe(type)
    }),
    { seed: 7072, numRuns: 120 },
  )
}, 60_000)
