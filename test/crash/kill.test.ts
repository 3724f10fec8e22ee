import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { call } from '../../src/client/call.ts'
import { createTopic } from '../../src/contract/topics.ts'
import { Producers } from './producers.ts'
import { judge, type Verdict } from './verdict.ts'
import { World } from './world.ts'

/** kill -9, twenty times each, under eight producers: what was acknowledged is there, once and in order. */
const KILLS = 20
const PRODUCERS = 8
const TOPIC = 'crash'

let world: World
beforeEach(async () => {
  world = await World.create()
  await world.start()
  await call(world.url, createTopic, { body: { name: TOPIC, partitions: 3 } })
})
afterEach(() => world.close())

/** Waits until the producers got through again, so that each kill meets records in flight. */
async function untilAcknowledged(producers: Producers, more: number): Promise<void> {
  const target = producers.acknowledged + more
  while (producers.acknowledged < target) await sleep(5)
}

/** When something was acknowledged that was first sent after this moment. */
async function untilResumed({ sent }: Producers, moment: number): Promise<number> {
  while (!sent.some(({ outcome, started }) => outcome === 'ok' && started > moment + 20))
    await sleep(5)
  return performance.now()
}

function expectClean({ records, ...wrong }: Verdict): void {
  expect(wrong).toEqual({
    lost: [],
    misplaced: [],
    denied: [],
    twice: [],
    out_of_order: [],
    gaps: [],
  })
  expect(records).toBeGreaterThan(0)
}

it(`loses nothing when the server is killed ${String(KILLS)} times`, async () => {
  const producers = new Producers(world.url, TOPIC)
  producers.start(PRODUCERS)
  const restarts: number[] = []
  for (let kill = 0; kill < KILLS; kill++) {
    await untilAcknowledged(producers, 50 + 17 * kill)
    await world.killServer()
    restarts.push(await world.start())
  }
  await untilAcknowledged(producers, 100)
  await producers.stop()
  const verdict = await judge(world.url, TOPIC, producers.sent)
  report('server', producers, verdict, restarts)
  expectClean(verdict)
})

it(`loses nothing when Postgres is killed ${String(KILLS)} times`, async () => {
  const producers = new Producers(world.url, TOPIC)
  producers.start(PRODUCERS)
  const outages: number[] = []
  for (let kill = 0; kill < KILLS; kill++) {
    await untilAcknowledged(producers, 50 + 17 * kill)
    const killed = performance.now()
    await world.killPostgres()
    outages.push((await untilResumed(producers, killed)) - killed)
  }
  await untilAcknowledged(producers, 100)
  await producers.stop()
  expect(world.serverIsRunning).toBe(true)
  const verdict = await judge(world.url, TOPIC, producers.sent)
  report('Postgres', producers, verdict, outages)
  expectClean(verdict)
})

function report(
  what: string,
  { sent }: Producers,
  verdict: Verdict,
  times: readonly number[],
): void {
  const count = (outcome: string) => sent.filter((one) => one.outcome === outcome).length
  const slowest = Math.round(Math.max(...times))
  console.log(
    `${String(KILLS)} kills of ${what}: ${String(count('ok'))} acknowledged, ${String(count('unknown'))} unknown, ` +
      `${String(count('no'))} refused, ${String(verdict.records)} in the log, ${String(verdict.lost.length)} lost; ` +
      `slowest return ${String(slowest)} ms`,
  )
}
