import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createTopic } from '../../src/broker/topics.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { startBrokerNode, type BrokerNode } from './broker-node.ts'
import { latencies } from './figures.ts'
import { Lane, type Delivery } from './lane.ts'
import { Random, SEED, size } from './random.ts'

/** Records that are appended while somebody subscribes, at every random instant around it: none stays unseen. */
const ROUNDS = size('TAILS_ROUNDS', 100_000) / 4
const TOPICS = 4

let database: TestDatabase
let nodes: BrokerNode[]
beforeEach(async () => {
  database = await createTestDatabase()
  nodes = []
})
afterEach(async () => {
  await Promise.all(nodes.map((node) => node.stop()))
  await database.drop()
})

interface Setting {
  name: string
  nodes: number
  /** Of each topic; more where a record waits for a poll, so that the rounds get through in minutes. */
  partitions: number
  listens: boolean
  /** Does the second node produce all and the first read all? Else each does both. */
  apart?: true
  /** Are the connections for LISTEN cut again and again? */
  broken?: true
}

const SETTINGS: readonly Setting[] = [
  { name: 'one node, with NOTIFY', nodes: 1, partitions: 8, listens: true },
  { name: 'two nodes, without NOTIFY', nodes: 2, partitions: 32, listens: false },
  {
    name: 'two nodes, NOTIFY broken again and again',
    nodes: 2,
    partitions: 32,
    listens: true,
    broken: true,
  },
  {
    name: 'two nodes, one produces and one reads',
    nodes: 2,
    partitions: 8,
    listens: true,
    apart: true,
  },
]

it.each(SETTINGS.map((setting, index) => ({ ...setting, index })))(
  'no wake-up is lost: $name',
  async ({ index, ...setting }) => {
    await start(setting)
    const lanes = await createLanes(setting, new Random(SEED, index))
    const brokers = nodes.map(({ broker }) => broker)
    const [producers, readers] = setting.apart
      ? [brokers.slice(1), brokers.slice(0, 1)]
      : [brokers, brokers]
    let left = ROUNDS
    const more = () => left-- > 0
    const began = performance.now()
    const running = Promise.all(lanes.map((lane) => lane.run(producers, readers, more)))
    const cuts = setting.broken ? await cutWhile(running, new Random(SEED, index, 1)) : 0
    await running
    report(setting, lanes, cuts, (performance.now() - began) / 1000)
    expect(
      lanes.flatMap(({ lost }) => lost),
      `SEED=${String(SEED)}`,
    ).toEqual([])
    expectSubstance(setting, lanes, cuts)
  },
)

async function start(setting: Setting): Promise<void> {
  for (let k = 0; k < setting.nodes; k++) nodes.push(startBrokerNode(database.url, setting.listens))
  // Until they listen.
  await sleep(500)
}

async function createLanes({ partitions }: Setting, random: Random): Promise<Lane[]> {
  const lanes: Lane[] = []
  for (let t = 0; t < TOPICS; t++) {
    const name = `wake-${String(t)}`
    await createTopic(nodes[0]!.broker, { name, partitions, config: {} })
    for (let partition = 0; partition < partitions; partition++) {
      lanes.push(new Lane(name, partition, new Random(random.below(2 ** 31))))
    }
  }
  return lanes
}

/** Cuts the connections that listen, at random moments, until this is over; gives their number. */
async function cutWhile(running: Promise<unknown>, random: Random): Promise<number> {
  const state = { over: false }
  void running.finally(() => (state.over = true)).catch(() => undefined)
  let cuts = 0
  while (!state.over) {
    await sleep(random.below(2500))
    const rows = await database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'tailrace listen' and datname = current_database()`,
    )
    cuts += rows.length
  }
  return cuts
}

function report({ name }: Setting, lanes: readonly Lane[], cuts: number, seconds: number): void {
  const all = lanes.flatMap(({ deliveries }) => deliveries)
  const rounds = lanes.reduce((sum, lane) => sum + lane.rounds, 0)
  const lost = lanes.reduce((sum, lane) => sum + lane.lost.length, 0)
  console.log(
    [
      `${name}: ${String(rounds)} rounds in ${seconds.toFixed(0)} s, ${String(lost)} lost, SEED=${String(SEED)}` +
        (cuts > 0 ? `, ${String(cuts)} connections cut` : ''),
      ...(['before', 'while', 'after', 'idle'] as const).flatMap((kind) =>
        [false, true].flatMap((remote) => line(all, kind, remote)),
      ),
    ].join('\n'),
  )
}

function line(all: readonly Delivery[], kind: Delivery['kind'], remote: boolean): string[] {
  const ms = all.filter((one) => one.kind === kind && one.remote === remote).map((one) => one.ms)
  const where = remote ? 'from another node' : 'from its own node'
  return ms.length === 0
    ? []
    : [`  ${kind.padEnd(7)}${where}: ${String(ms.length)} deliveries, ${latencies(ms)}`]
}

/** It would be easy to lose nothing where nothing met. */
function expectSubstance(setting: Setting, lanes: readonly Lane[], cuts: number): void {
  const all = lanes.flatMap(({ deliveries }) => deliveries)
  expect(lanes.reduce((sum, lane) => sum + lane.rounds, 0)).toBe(ROUNDS)
  for (const kind of ['before', 'while', 'after', 'idle'] as const) {
    expect(all.filter((one) => one.kind === kind).length).toBeGreaterThan(ROUNDS / 20)
  }
  expect(all.some(({ remote }) => remote)).toBe(setting.nodes > 1)
  expect(all.some(({ remote }) => !remote)).toBe(!setting.apart)
  if (setting.broken) expect(cuts).toBeGreaterThan(2)
}
