import { writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { Cluster } from '../tails/cluster.ts'
import { latencies } from '../tails/figures.ts'
import { Producer } from '../tails/producer.ts'
import { Random, SEED, size } from '../tails/random.ts'
import { StoredLog } from '../tails/stored-log.ts'
import { History, type Testimony } from './history.ts'
import type { Scene } from './member.ts'
import { judgeDeliveries, judgeFences, judgeOwners } from './owner-judgement.ts'
import { Observer } from './observer.ts'
import { judgeAcknowledged, judgeCommitted, judgeProcessed } from './record-judgement.ts'
import { figuresOf, type Figures } from './storm-figures.ts'
import { Storm } from './storm.ts'
import { rebalanceTimes } from './tenures.ts'
import { engageWitness, hearWitness } from './witness.ts'

/**
 * A rebalance storm: members of all kinds join, leave, die, freeze past their sessions and thaw, and the nodes are
 * killed and frozen under them. Every record is processed, none is committed before, and nobody commits what he has lost.
 */
const STORM_MS = size('STORM_SECONDS', 300) * 1000
const NODES = 3
const PRODUCERS = 2
const PARTITIONS = 16
const TOPIC = 'storm'
const GROUP = 'storm'
/** To commit what is left, once all is written and nobody is harmed any more. */
const REST_MS = 90_000

let database: TestDatabase
let cluster: Cluster
beforeAll(async () => {
  database = await createTestDatabase()
  await engageWitness(database)
  cluster = await Cluster.start(NODES, database.url)
})
afterAll(async () => {
  await cluster.stop()
  await database.drop()
})

it('processes every record, commits none before, and lets nobody commit what he has lost', async () => {
  const history = new History()
  const log = await createLog()
  const scene = await setScene(history)
  const calm = await weather(scene)
  await log.close()
  const ids = new Map(
    [...log.records].map(([where, records]) => {
      return [Number(where.split('/')[1]), records.map(({ id }) => id)]
    }),
  )
  const testimony = await hearWitness(database)
  const rebalances = rebalanceTimes(testimony.partitions, testimony.members, calm)
  const figures = figuresOf(history, testimony)
  report(figures, rebalances.ms)
  await keep({ history, testimony })
  const wrong = judge(history, testimony, ids)
  expect(wrong.slice(0, 50), `SEED=${String(SEED)}, ${String(wrong.length)} wrongs`).toEqual([])
  expect(rebalances.never).toBe(0)
  expectHarm(figures)
})

async function createLog(): Promise<StoredLog> {
  const body = JSON.stringify({ name: TOPIC, partitions: PARTITIONS })
  const headers = { 'content-type': 'application/json' }
  const url = `${cluster.anyUrl(new Random(0))}/v1/topics`
  expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(201)
  const log = new StoredLog(database)
  await log.open([TOPIC])
  return log
}

async function setScene(history: History): Promise<Scene> {
  const rows = await database.query<{ partition_id: string; partition: number }>(
    'select partition_id, partition from tailrace.partitions',
  )
  const partitions = new Map(rows.map((row) => [Number(row.partition_id), row.partition]))
  return { group: GROUP, topic: TOPIC, nodes: cluster, history, partitions }
}

/** The storm, and the calm after it in which all that is left is read; says when that was done. */
async function weather(scene: Scene): Promise<number> {
  const until = performance.now() + STORM_MS
  const rages = () => performance.now() < until
  let isOver = false
  const storm = new Storm(scene, new Random(SEED, 1))
  const observing = new Observer(scene, new Random(SEED, 2)).watch(() => !isOver)
  const producing = Array.from({ length: PRODUCERS }, (_, k) => {
    return new Producer(`p${String(k)}`, cluster, [TOPIC], new Random(SEED, 3, k)).run(rages)
  })
  try {
    await Promise.all([storm.rage(rages), harm(rages, new Random(SEED, 4)), ...producing])
    await untilCommitted()
    return Date.now()
  } finally {
    isOver = true
    await observing
    await storm.end()
  }
}

/** Kills nodes, and freezes some, so that what they were asked to do is done when it is too late. */
async function harm(more: () => boolean, random: Random): Promise<void> {
  while (more()) {
    await sleep(1500 + random.below(4000))
    if (random.chance(0.3)) await cluster.freezeOne(random, 500 + random.below(4000))
    else await cluster.killOne(random)
  }
}

/** Waits until the group is where the log ends. */
async function untilCommitted(): Promise<void> {
  const late = performance.now() + REST_MS
  for (;;) {
    const behind = await database.query(BEHIND)
    if (behind.length === 0) return
    if (performance.now() > late) throw new Error(`not committed: ${JSON.stringify(behind)}`)
    await sleep(200)
  }
}

const BEHIND = `
  select p.partition, b.high_watermark, g.committed, g.delivered, g.owner, g.owner_generation, g.target
  from tailrace.partitions p
    join tailrace.partition_bounds(array(select partition_id from tailrace.partitions)) b using (partition_id)
    left join tailrace.group_partitions g using (partition_id)
  where coalesce(g.committed, 0) < b.high_watermark`

function judge(
  { processed, deliveries, commits, surprises }: History,
  { partitions }: Testimony,
  log: ReadonlyMap<number, readonly string[]>,
): string[] {
  return [
    ...surprises,
    ...judgeProcessed(log, processed),
    ...judgeCommitted(processed, partitions),
    ...judgeAcknowledged(processed, commits, partitions),
    ...judgeOwners(partitions),
    ...judgeDeliveries(deliveries, partitions),
    ...judgeFences(commits, partitions),
  ]
}

/** All that happened, for whoever wants to know how it came to what is wrong. */
async function keep(everything: object): Promise<void> {
  const file = process.env['STORM_HISTORY']
  if (file !== undefined) await writeFile(file, JSON.stringify(everything))
}

function report(figures: Figures, rebalances: number[]): void {
  const { kills, freezes } = cluster
  const all = Object.entries({ ...figures, node_kills: kills, node_freezes: freezes })
  const text = all.map(([name, count]) => `${name.replaceAll('_', ' ')} ${String(count)}`)
  console.log(
    `${text.join(', ')}; partitions without a living owner after ${String(rebalances.length)} ends of members: ` +
      `${latencies(rebalances)}; SEED=${String(SEED)}`,
  )
  if (cluster.complaints) console.log(cluster.complaints.slice(-3000))
}

/** A storm in which nothing happened would prove nothing. */
function expectHarm(figures: Figures): void {
  const seconds = STORM_MS / 1000
  expect(cluster.kills).toBeGreaterThan(seconds / 30)
  for (const [name, everySeconds] of Object.entries(AT_LEAST) as [keyof Figures, number][]) {
    expect(figures[name], name).toBeGreaterThan(seconds / everySeconds)
  }
}

/** One in so many seconds. */
const AT_LEAST: Partial<Record<keyof Figures, number>> = {
  joins: 5,
  leaves: 30,
  kills: 30,
  thaws: 30,
  restarts: 30,
  lost_answers: 2,
  heartbeats: 10,
  polls_of_group: 2,
  records: 0.02,
  redelivered: 1,
  generations: 3,
  commits: 0.2,
  late_commits: 10,
  refused_commits: 10,
}
