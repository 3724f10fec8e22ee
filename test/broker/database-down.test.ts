import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  call,
  createTopic,
  deleteTopic,
  fetchRecords,
  produceBody,
  send,
} from '../../src/client/index.ts'
import { Problem } from '../../src/contract/openapi.ts'
import { openHolder } from '../support/locks.ts'
import { Outage } from '../support/outage.ts'
import { startServerProcess, type ServerProcess } from '../support/process.ts'
import { until, within } from '../support/within.ts'

/**
 * With Postgres down every request is answered within 10 s, the process stays up, and service resumes within
 * 3 s of Postgres's return. These numbers are promises of the server, so here, and only here, they are tested.
 */
const ANSWER_MS = 10_000
const RESUME_MS = 3_000

let postgres: Outage
let server: ServerProcess
let topics = 0
let topic: string
const start = () => startServerProcess({ DATABASE_URL: postgres.url, TAILRACE_LOG_LEVEL: 'error' })

beforeAll(async () => {
  postgres = await Outage.create()
  server = await start()
})
afterAll(async () => {
  await server.stop('SIGKILL')
  await postgres.close()
})
beforeEach(async () => {
  // One that died in a test before has failed that test; it is no reason for the others to fail too.
  const isAlive = await fetch(`${server.url}/livez`).then(
    () => true,
    () => false,
  )
  if (!isAlive) {
    await server.stop('SIGKILL')
    server = await start()
  }
  topic = `topic-${String(++topics)}`
  await call(server.url, createTopic, { body: { name: topic, partitions: 2 } })
  await produce('before')
})

const produce = (body: string) =>
  call(server.url, produceBody, { params: { topic }, body, query: { partition: 0 } })

interface Request {
  name: string
  method: string
  path: string
  body?: string
  headers?: Record<string, string>
}

/** One of everything that needs the database; what is written is this value. */
function requests(value: string): Request[] {
  const read = (name: string, path: string) => ({ name, method: 'GET', path })
  const partition = `/v1/topics/${topic}/partitions/0`
  const json = { 'content-type': 'application/json' }
  const keyed = [0, 1].map((number) => ({ value: 'keyed', partition: number }))
  return [
    { name: 'produce', method: 'POST', path: `/t/${topic}?partition=0`, body: value },
    { name: 'produce to the other', method: 'POST', path: `/t/${topic}?partition=1`, body: value },
    {
      name: 'produce to both with a key',
      method: 'POST',
      path: `/v1/topics/${topic}/records`,
      body: JSON.stringify({ records: keyed }),
      headers: { ...json, 'idempotency-key': 'k' },
    },
    { name: 'produce to a new topic', method: 'POST', path: `/t/new-${topic}`, body: value },
    read('fetch', `${partition}/records`),
    read('long poll', `${partition}/records?from=latest&max_wait_ms=1500`),
    read('fetch from a time', `${partition}/records?from=0`),
    read('one record', `${partition}/records/0`),
    read('offset of a time', `${partition}/offsets?timestamp=0`),
    read('all of a topic', `/t/${topic}?until=latest`),
    read('topics', '/v1/topics'),
    read('topic', `/v1/topics/${topic}`),
    {
      name: 'patch',
      method: 'PATCH',
      path: `/v1/topics/${topic}`,
      body: '{"partitions":2}',
      headers: json,
    },
    {
      name: 'create',
      method: 'POST',
      path: '/v1/topics',
      body: `{"name":"made-${topic}"}`,
      headers: json,
    },
    { name: 'delete', method: 'DELETE', path: `/v1/topics/nobody-${topic}` },
  ]
}

/** Those that may be repeated as often as one likes. */
const repeatable = (value: string) => requests(value).slice(0, -2)

const ask = async ({ name, method, path, body, headers }: Request) => {
  const options = { method, headers: { 'content-type': 'text/plain', ...headers } }
  const answer = fetch(server.url + path, body === undefined ? options : { ...options, body })
  return within(ANSWER_MS, answer).catch((error: unknown) => {
    throw new Error(`${name}: ${String(error)}`, { cause: error })
  })
}

/** Sends one; it must be refused as the contract says. Gives what it says of its writing. */
async function expectRefused(request: Request): Promise<string | undefined> {
  const response = await ask(request)
  const text = await response.text()
  expect({ name: request.name, status: response.status, text }).toMatchObject({ status: 503 })
  const problem = Problem.parse(JSON.parse(text))
  expect(problem, request.name).toMatchObject({ code: 'store_unavailable', retriable: true })
  expect(response.headers.get('retry-after'), request.name).toBe('1')
  if (request.method === 'GET') expect(problem.written, request.name).toBeUndefined()
  else expect(['no', 'unknown'], request.name).toContain(problem.written)
  return problem.written
}

/** Waves of requests, each on its way before the one before is answered; what was surely not written. */
async function refuseWaves(pauses_ms: readonly number[]): Promise<string[]> {
  const waves: Promise<string[]>[] = []
  for (const [wave, pause_ms] of pauses_ms.entries()) {
    await sleep(pause_ms)
    for (const request of requests(`wave ${String(wave)}`)) {
      waves.push(
        expectRefused(request).then((written) =>
          written === 'no' && request.name.startsWith('produce to the other')
            ? [request.body!]
            : [],
        ),
      )
    }
  }
  return (await Promise.all(waves)).flat()
}

const isAnswering = () =>
  postgres.query('select 1').then(
    () => true,
    () => false,
  )

/** From the moment when Postgres answers again. */
async function expectResumed(): Promise<void> {
  await until(isAnswering)
  const resumed = async () => {
    const ready = await fetch(`${server.url}/readyz`)
    const answers = await Promise.all(repeatable('after').map(ask))
    return [ready, ...answers].every(({ ok }) => ok)
  }
  await within(RESUME_MS, until(resumed))
  expect(server.child.exitCode).toBeNull()
}

/** The values of a partition, whose offsets must be dense. */
async function logOf(partition: number): Promise<string[]> {
  const params = { topic, partition }
  const page = await call(server.url, fetchRecords, { params, query: { max_records: 10_000 } })
  expect(page.records.map(({ offset }) => offset)).toEqual(page.records.map((_, offset) => offset))
  expect(page.high_watermark).toBe(page.records.length)
  return page.records.map(({ value }) => value as string)
}

describe('a session that is lost in the middle of a request', () => {
  const endSessions = () =>
    postgres.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tailrace'`,
    )

  async function lockPartition() {
    const [row] = await postgres.query<{ id: string }>(
      `select partition_id as id from tailrace.partitions join tailrace.topics using (topic_id)
       where name = '${topic}' and partition = 0`,
    )
    const holder = await openHolder(postgres.url)
    await holder.lock(Number(row!.id))
    return holder
  }

  it.each([
    [
      'produce',
      () =>
        send(server.url, produceBody, { params: { topic }, query: { partition: 0 }, body: 'x' }),
    ],
    ['delete', () => send(server.url, deleteTopic, { params: { topic } })],
  ])('is told to its caller and does no other harm: %s', async (_, waitForLock) => {
    const holder = await lockPartition()
    const answer = waitForLock()
    answer.catch(() => undefined)
    await until(async () => {
      const waiting = await postgres.query(
        `select from pg_locks where locktype = 'advisory' and not granted`,
      )
      return waiting.length > 0
    })
    await endSessions()
    const response = await answer
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ code: 'store_unavailable', written: 'unknown' })
    await holder.release()
    await expectResumed()
  })
})

describe('a Postgres that is frozen', () => {
  it('has every request answered within 10 s, and is served again within 3 s', async () => {
    await postgres.freeze()
    const not_written = await refuseWaves([0, 600, 1500])
    const live = await fetch(`${server.url}/livez`)
    const ready = await within(ANSWER_MS, fetch(`${server.url}/readyz`))
    const checks: unknown = await ready.json()
    postgres.thaw()
    expect([live.status, ready.status]).toEqual([200, 503])
    expect(checks).toMatchObject({ checks: { database: 'failed' } })
    await expectResumed()

    const [first, second] = [await logOf(0), await logOf(1)]
    expect(first[0]).toBe('before')
    expect(not_written.length).toBeGreaterThan(0)
    for (const value of not_written) expect(second).not.toContain(value)
    // Sent in every wave and again afterwards, always under the same Idempotency-Key.
    for (const log of [first, second])
      expect(log.filter((value) => value === 'keyed')).toHaveLength(1)
  }, 60_000)

  it('leaves no session behind in a transaction, nor a lock', async () => {
    const create = requests('').find(({ name }) => name === 'create')!
    await postgres.freeze()
    await expectRefused(create)
    postgres.thaw()
    await until(isAnswering)
    const sessions = () =>
      postgres.query<{ state: string }>(
        `select state from pg_stat_activity where application_name = 'tailrace'`,
      )
    await until(async () => (await sessions()).every(({ state }) => state !== 'active'))
    expect((await sessions()).filter(({ state }) => state !== 'idle')).toEqual([])
    expect(await postgres.query(`select from pg_locks where locktype = 'advisory'`)).toEqual([])
  })

  it('for a moment only goes by unnoticed', async () => {
    await postgres.freeze()
    const answers = Promise.all(repeatable('x').map(ask))
    await sleep(300)
    postgres.thaw()
    for (const { status } of await answers) expect(status).toBe(200)
  })
})

describe('a Postgres that is killed with -9', () => {
  it('has every request answered, and is served again within 3 s of its return', async () => {
    for (let kill = 0; kill < 3; kill++) {
      // Under way when it falls, and sent until it is back: these may have any outcome but silence.
      const under_way = repeatable('during').map(ask)
      postgres.kill()
      const answers = await Promise.all(under_way)
      while (!(await isAnswering()))
        answers.push(...(await Promise.all(repeatable('during').map(ask))))
      for (const answer of answers) {
        // A stream that had begun can only be cut, so that nobody takes it for whole.
        const text = await answer.text().catch(() => 'cut')
        expect([200, 503], text).toContain(answer.status)
      }
      await expectResumed()
      for (const log of [await logOf(0), await logOf(1)]) {
        expect(log.filter((value) => value === 'keyed')).toHaveLength(1)
      }
    }
  }, 60_000)

  it('loses nothing that was acknowledged', async () => {
    const acknowledged: [number, string][] = []
    for (let number = 0; number < 60; number++) {
      if (number % 20 === 10) postgres.kill()
      const { offsets } = await produce(String(number)).catch(() => ({ offsets: [] }))
      for (const { base_offset } of offsets) acknowledged.push([base_offset, String(number)])
      if (number % 20 === 19) await expectResumed()
    }
    const values = await logOf(0)
    expect(acknowledged.length).toBeGreaterThanOrEqual(30)
    for (const [offset, body] of acknowledged) expect(values[offset]).toBe(body)
  }, 60_000)
})
