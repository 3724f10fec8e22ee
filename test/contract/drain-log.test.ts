import { afterAll, beforeAll, expect, it } from 'vitest'
import { basic, DrainCalls, fromLogplex } from '../support/drain-calls.ts'
import { frameOf } from '../support/drain-frames.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { startServerProcess, type ServerProcess } from '../support/process.ts'

let database: TestDatabase
let node: ServerProcess
let drains: DrainCalls
beforeAll(async () => {
  database = await createTestDatabase()
  node = await startServerProcess({ DATABASE_URL: database.url, TAILRACE_LOG_LEVEL: 'trace' })
  drains = new DrainCalls(node.url)
})
afterAll(async () => {
  drains.hangUp()
  await node.stop()
  await database.drop()
})

it('no credential of a drain is in the log, whatever becomes of the request', async () => {
  const created = await drains.create('shop', { config: { vercel_secret: 'a-vercel-secret' } })
  const rotated = await drains.rotate('shop', 0)
  const secrets = ['a-vercel-secret', 'a-wrong-credential']
  for (const { credential } of [created, rotated]) {
    secrets.push(credential, basic('logs', credential).slice('Basic '.length))
  }
  for (const given of secrets) {
    for (const drain of ['shop', 'nobody', 'a%zz', 'x'.repeat(300)]) {
      const ways = [
        { headers: { authorization: basic('logs', given) } },
        { headers: { authorization: `Bearer ${given}` } },
        { headers: { 'x-amz-firehose-access-key': given } },
        { headers: { 'content-encoding': given, authorization: `Bearer ${rotated.credential}` } },
        { query: `credential=${given}` },
        { query: `credential=${given}&dedupe=${given}` },
        { query: `credential=${given}`, below: '/v1/logs' },
        { query: `credential=${given}`, below: '/nothing-here' },
      ]
      for (const way of ways) {
        const headers = { ...fromLogplex(), ...way.headers }
        await drains.call('POST', drain, { ...way, headers }, frameOf('x'))
        await drains.call('PUT', drain, way)
      }
    }
  }
  // A failure of the server is told with all that is known of it.
  await database.query('alter table tailrace.drains rename to drains_elsewhere')
  await drains.post('unknown', 'x', { headers: { authorization: `Bearer ${secrets[1] ?? ''}` } })
  await drains.call('GET', 'unknown', { query: `credential=${rotated.credential}` })
  const { stdout, stderr } = await node.stop()
  expect(stderr).toContain('"level":50')
  for (const secret of secrets) expect(stdout + stderr).not.toContain(secret)
}, 60_000)
