import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { call, createTopic } from '../../src/client/index.ts'
import { getGroup, joinGroup } from '../../src/contract/group-routes.ts'
import type { GroupDescription } from '../../src/contract/groups.ts'
import { Outage } from '../support/outage.ts'
import { startServerProcess, type ServerProcess } from '../support/process.ts'
import { until } from '../support/within.ts'
import type { Body } from './group-calls.ts'

/** A restart is nobody's end: members that go on calling keep what they have, and no generation passes. */
const ROUNDS = 3
const MEMBERS = ['anna', 'berta', 'carla']
const PARTITIONS = 16
const SESSION_MS = 6000
const TOPIC = 'orders'
const params = { group: 'billing' }

let postgres: Outage
let server: ServerProcess
let isOver = false
/** What a member was told that it should not have been. */
const refusals: string[] = []
const read = new Set<number>()
let members: Promise<void>[] = []

beforeAll(async () => {
  postgres = await Outage.create()
  await start()
  await call(server.url, createTopic, { body: { name: TOPIC, partitions: PARTITIONS } })
  for (const member_id of MEMBERS) {
    const body = { topics: [TOPIC], member_id, session_timeout_ms: SESSION_MS }
    await call(server.url, joinGroup, { params, body })
  }
  members = MEMBERS.map((member_id) => readOn(member_id))
  await until(async () => (await describeGroup()).state === 'stable')
  await produceAndRead()
})
afterAll(async () => {
  isOver = true
  await Promise.all(members)
  await server.stop('SIGKILL')
  await postgres.close()
})

async function start(): Promise<void> {
  server = await startServerProcess({ DATABASE_URL: postgres.url, TAILRACE_LOG_LEVEL: 'error' })
}

const describeGroup = (): Promise<GroupDescription> => call(server.url, getGroup, { params })

/** Polls for ever, through whatever outages. */
async function readOn(member_id: string): Promise<void> {
  let received = ''
  while (!isOver) {
    const query = new URLSearchParams({ commit: 'previous', max_wait_ms: '500' })
    if (received !== '') query.set('received', received)
    const path = `/v1/groups/billing/members/${member_id}/records?${query.toString()}`
    const answer = await ask(path)
    if (answer?.status === 404 || answer?.status === 409) refusals.push(JSON.stringify(answer))
    if (answer?.status !== 200) {
      await sleep(50)
      continue
    }
    received = answer.body.ack ?? ''
    for (const { value } of answer.body.records) read.add(Number(value.id))
  }
}

async function ask(path: string): Promise<{ status: number; body: Body } | undefined> {
  try {
    const response = await fetch(`${server.url}${path}`, { signal: AbortSignal.timeout(12_000) })
    return { status: response.status, body: (await response.json()) as Body }
  } catch {
    return undefined
  }
}

let produced = 0
/** Members read on, so what is produced now is read soon. */
async function produceAndRead(): Promise<void> {
  const first = produced
  produced += 100
  const lines = Array.from({ length: 100 }, (_, k) => `{"value":{"id":"${String(first + k)}"}}`)
  await until(() => produce(lines.join('\n')))
  await until(() => read.size === produced)
}

async function produce(body: string): Promise<boolean> {
  const headers = { 'content-type': 'application/x-ndjson' }
  const url = `${server.url}/v1/topics/${TOPIC}/records`
  return fetch(url, { method: 'POST', headers, body }).then(
    ({ ok }) => ok,
    () => false,
  )
}

/** The same generation, and everybody has what he had, a session and more after the restart. */
async function expectQuiet(before: GroupDescription): Promise<void> {
  await produceAndRead()
  await sleep(SESSION_MS + 2000)
  await produceAndRead()
  const after = await describeGroup()
  expect(refusals).toEqual([])
  expect(after.generation_id).toBe(before.generation_id)
  const owners = ({ partitions }: GroupDescription) => partitions.map((one) => one.member_id)
  expect(owners(after)).toEqual(owners(before))
  expect(after.state).toBe('stable')
}

it.each(Array.from({ length: ROUNDS }, (_, k) => k + 1))(
  'restarts the server without a rebalance, round %i',
  async () => {
    const before = await describeGroup()
    await server.stop('SIGKILL')
    await start()
    await expectQuiet(before)
  },
)

it.each(Array.from({ length: ROUNDS }, (_, k) => k + 1))(
  'restarts Postgres without a rebalance, round %i',
  async () => {
    const before = await describeGroup()
    const [started] = await postgres.query<{ at: string }>(STARTED)
    postgres.kill()
    await until(() =>
      postgres.query<{ at: string }>(STARTED).then(
        ([now]) => now?.at !== started?.at,
        () => false,
      ),
    )
    await expectQuiet(before)
  },
)

const STARTED = 'select pg_postmaster_start_time()::text as at'
