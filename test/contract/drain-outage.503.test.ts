import { afterAll, beforeAll, expect, it } from 'vitest'
import { expectProblem } from '../support/answers.ts'
import { DrainCalls, LOGPLEX } from '../support/drain-calls.ts'
import { frameOf } from '../support/drain-frames.ts'
import { Outage } from '../support/outage.ts'
import { startServerProcess, type ServerProcess } from '../support/process.ts'

let postgres: Outage
let nodes: ServerProcess[]
let one: DrainCalls
let other: DrainCalls
beforeAll(async () => {
  postgres = await Outage.create()
  const environment = { DATABASE_URL: postgres.url, TAILRACE_LOG_LEVEL: 'error' }
  nodes = await Promise.all([startServerProcess(environment), startServerProcess(environment)])
  one = new DrainCalls(nodes[0]!.url)
  other = new DrainCalls(nodes[1]!.url)
})
afterAll(async () => {
  one.hangUp()
  other.hangUp()
  await Promise.all(nodes.map((node) => node.stop()))
  await postgres.close()
})

it('while the database is away, those that repeat what is answered 503 are answered that', async () => {
  const drain = await one.create('away')
  other.know(drain)
  await one.postFrame('away', frameOf('before'))
  await postgres.freeze()
  const types = ['application/json', 'application/x-protobuf']
  const telemetry = types.map((type) =>
    one.post(
      'away',
      type === 'application/json'
        ? '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}]}]}]}'
        : Buffer.from([10, 4, 18, 2, 18, 0]),
      {
        below: '/v1/logs',
        headers: { 'content-type': type },
      },
    ),
  )
  const vector = one.post('away', '{"message":"vector"}', {
    headers: { 'content-type': 'application/json', 'idempotency-key': 'V1' },
  })
  // Logplex takes 503 for a try, and has three: it is held, here and by a node that has never heard of the drain.
  const logplex = one.postFrame('away', frameOf('held'), 'F1')
  const unheard = other.post('away', frameOf('unheard'), { headers: { 'content-type': LOGPLEX } })
  for (const [n, answer] of (await Promise.all(telemetry)).entries()) {
    expect(answer.status, answer.text).toBe(503)
    expect(answer.headers['retry-after']).toMatch(/^[1-9]\d?$/)
    expect(answer.headers['content-type']).toBe(types[n])
  }
  const refused = await vector
  await expectProblem(refused, 'store_unavailable')
  expect(refused.headers['retry-after']).toMatch(/^[1-9]\d?$/)
  postgres.thaw()
  expect((await logplex).status).toBe(204)
  expect((await unheard).status).toBe(204)
  const headers = { 'content-type': 'application/json', 'idempotency-key': 'V1' }
  expect((await other.post('away', '{"message":"vector"}', { headers })).status).toBe(204)
  // Of OTLP no message: whether it was stored could not be said.
  const values = (await other.values('away')).filter((value) => 'message' in value)
  const messages = values.map(({ message }) => message)
  expect(messages.sort()).toEqual(['before', 'held', 'unheard', 'vector'])
}, 60_000)
