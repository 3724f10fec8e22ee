import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LIMITS } from '../../src/contract/limits.ts'
import { expectProblem } from '../support/answers.ts'
import { DrainCalls, LOGPLEX } from '../support/drain-calls.ts'
import { bodyFrom, frameOf } from '../support/drain-frames.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { startServerProcess, type ServerProcess } from '../support/process.ts'

let database: TestDatabase
let node: ServerProcess
let drains: DrainCalls
beforeAll(async () => {
  database = await createTestDatabase()
  node = await startServerProcess({ DATABASE_URL: database.url, TAILRACE_LOG_LEVEL: 'error' })
  drains = new DrainCalls(node.url)
})
afterAll(async () => {
  drains.hangUp()
  const { stderr } = await node.stop()
  await database.drop()
  expect(stderr).toBe('')
})

const NDJSON = 'application/x-ndjson'
const JSON_TYPE = 'application/json'
const TEXT = 'text/plain'
describe('a body that is large', () => {
  it('of 102 kB, as Logplex aims at', async () => {
    const texts = Array.from({ length: 1_000 }, (_, n) => `line ${n} ${'x'.repeat(40)}`)
    const { drain, answer } = await drains.send(frameOf(...texts), LOGPLEX)
    expect(answer.status).toBe(204)
    expect(await drains.messages(drain)).toEqual(texts)
  })

  it('of 10 MB: 100,000 lines of Vector, in their order', async () => {
    const pad = 'x'.repeat(75)
    const lines = Array.from({ length: 100_000 }, (_, n) => `{"message":"${n} ${pad}"}\n`)
    const { drain, answer } = await drains.send(lines.join(''), NDJSON)
    expect(answer.status).toBe(204)
    const messages = await drains.messages(drain)
    expect(messages).toHaveLength(100_000)
    expect(messages.findIndex((message, n) => message !== `${n} ${pad}`)).toBe(-1)
  })

  it('of 3 MB, of NUL, which take twelve times that as JSON', async () => {
    const body = Buffer.alloc(3_000_000)
    const { drain, answer } = await drains.send(gzipSync(body), LOGPLEX, {
      'content-encoding': 'gzip',
    })
    expect(answer.status).toBe(204)
    expect(bodyFrom(await drains.values(drain)).equals(body)).toBe(true)
  }, 60_000)

  it('of 15,000 events, each with an id, in their order', async () => {
    const events = Array.from({ length: 15_000 }, (_, n) => ({ id: `${n}`, message: `${n}` }))
    const headers = { 'x-vercel-signature': 'checked by nobody' }
    const { drain, answer } = await drains.send(JSON.stringify(events), JSON_TYPE, headers)
    expect(answer.status).toBe(200)
    expect(await drains.messages(drain)).toEqual(events.map(({ message }) => message))
  }, 60_000)

  it('of more than may be is refused, before it is read', async () => {
    const body = Buffer.alloc(LIMITS.drain_body_bytes + 1, 'x')
    // It may be told while it is still sending, and have its connection closed.
    const refused = await drains.send(body, TEXT).catch((error: unknown) => error)
    if (!(refused instanceof Error)) {
      await expectProblem((refused as { answer: never }).answer, 'request_too_large', {
        written: 'no',
      })
    }
  })
})

describe('a bomb', () => {
  /** A member of gzip that is 64 MB of one letter; as many of them as one likes are one gzip. */
  const member = gzipSync(Buffer.alloc(64_000_000, 'x'))
  const peakBytes = () =>
    Number(
      /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${String(node.child.pid)}/status`, 'utf8'))?.[1],
    ) * 1024

  it('of gzip is 413, and takes no more memory than a body may have', async () => {
    await drains.create('bomb')
    const bomb = Buffer.concat(Array<Buffer>(50).fill(member))
    for (let n = 0; n < 3; n++) {
      const headers = { 'content-type': TEXT, 'content-encoding': 'gzip' }
      const answers = [0, 1].map(() => drains.post('bomb', bomb, { headers }))
      for (const answer of await Promise.all(answers)) {
        await expectProblem(answer, 'request_too_large', { written: 'no' })
      }
    }
    const otlp = await drains.post('bomb', bomb, {
      below: '/v1/logs',
      headers: { 'content-type': JSON_TYPE, 'content-encoding': 'gzip' },
    })
    expect(otlp.status).toBe(413)
    expect((await drains.postFrame('bomb', frameOf('alive'))).status).toBe(204)
  })

  it('in each record of Firehose is kept as it came', async () => {
    const data = member.toString('base64')
    const records = Array.from({ length: 40 }, () => ({ data }))
    const body = JSON.stringify({ requestId: 'R', timestamp: 1, records })
    const { drain, answer } = await drains.send(body, JSON_TYPE, {
      'x-amz-firehose-request-id': 'R',
    })
    expect(answer.status).toBe(200)
    const values = await drains.values(drain)
    const kept = values.filter(({ raw_base64 }) => raw_base64 === data)
    expect(kept).toHaveLength(39)
  }, 60_000)

  it.runIf(process.platform === 'linux')('leaves the process far below what bombs hold', () => {
    // Fifty times 64 MB, and forty times.
    expect(peakBytes()).toBeLessThan(2_000_000_000)
  })
})
