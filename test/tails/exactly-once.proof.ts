import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { within } from '../support/within.ts'
import { Cluster } from './cluster.ts'
import { judgeLog, judgeReader } from './judgement.ts'
import { KEYS, Producer } from './producer.ts'
import { Random, SEED, size } from './random.ts'
import { RestlessReader } from './restless-reader.ts'
import { StoredLog } from './stored-log.ts'

/**
 * Tails of all forms over two nodes that are killed, by readers that are cut and go on elsewhere, with and
 * without retention: each record once, in order, byte for byte, or said to be gone.
 */
const ROUNDS = size('TAILS_EXACT_ROUNDS', 6)
const ROUND_MS = size('TAILS_EXACT_SECONDS', 25) * 1000
const NODES = 2
const PRODUCERS = 4
const READERS = 4
const PARTITIONS = 3
/** To read what is left, once all is written. */
const REST_MS = 60_000
const FORMS = ['ndjson', 'sse', 'websocket'] as const

let database: TestDatabase
let cluster: Cluster
beforeAll(async () => {
  database = await createTestDatabase()
  cluster = await Cluster.start(NODES, database.url)
})
afterAll(async () => {
  await cluster.stop()
  await database.drop()
})

/** What happened in all rounds; a proof in which nothing happened would prove nothing. */
const totals = { records: 0, given: 0, cuts: 0, truncations: 0, unknown: 0 }

it.each(Array.from({ length: ROUNDS }, (_, round) => round))(
  'gives every record once, round %i',
  async (round) => {
    const random = new Random(SEED, 100 + round)
    const topics = [`orders-${String(round)}`, `payments-${String(round)}`]
    const log = await createTopics(topics)
    const producers = Array.from({ length: PRODUCERS }, (_, k) => {
      return new Producer(`p${String(k)}`, cluster, topics, new Random(SEED, round, k))
    })
    const readers = createReaders(topics, random)
    const isTruncated = round % 2 === 1
    await live(log, producers, readers, isTruncated, random)
    report(round, log, producers, readers)
    const sent = producers.flatMap((producer) => producer.sent)
    const wrong = [...judgeLog(log, sent), ...readers.flatMap((reader) => judgeReader(reader, log))]
    expect(wrong, `SEED=${String(SEED)}`).toEqual([])
    if (isTruncated) expect(truncationsOf(readers)).toBeGreaterThan(0)
  },
)

it('had something to withstand', () => {
  expect(cluster.kills).toBeGreaterThanOrEqual(ROUNDS)
  expect(totals.records).toBeGreaterThan(ROUNDS * ROUND_MS * 0.1)
  expect(totals.given).toBeGreaterThan(totals.records)
  expect(totals.cuts).toBeGreaterThan(ROUNDS * 20)
  if (ROUNDS > 1) expect(totals.truncations).toBeGreaterThan(0)
})

async function createTopics(topics: readonly string[]): Promise<StoredLog> {
  for (const name of topics) {
    const body = JSON.stringify({ name, partitions: PARTITIONS })
    const headers = { 'content-type': 'application/json' }
    const url = `${cluster.anyUrl(new Random(0))}/v1/topics`
    expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(201)
  }
  const log = new StoredLog(database)
  await log.open(topics)
  return log
}

/** Some of each form: of one topic or of both, of all records or of those with one key. */
function createReaders(topics: readonly string[], random: Random): RestlessReader[] {
  return FORMS.flatMap((form) =>
    Array.from({ length: READERS }, (_, k) => {
      const own = k === 0 ? topics : [random.pick(topics)]
      const options = { form, topics: own, from: () => anywhere(own, random) }
      const filter = k === 1 ? { key: random.pick(KEYS) } : {}
      const seed = random.below(2 ** 31)
      return new RestlessReader(cluster, { ...options, ...filter }, new Random(seed))
    }),
  )
}

function anywhere(topics: readonly string[], random: Random): string {
  const partition = String(random.below(PARTITIONS))
  const [topic = '', other] = topics
  return random.pick([
    'earliest',
    'latest',
    `-${String(random.below(500))}`,
    String(Date.now() - random.below(5000)),
    new Date(Date.now() - random.below(5000)).toISOString(),
    other === undefined ? `${partition}:0` : `${topic}/${partition}:0`,
  ])
}

/** One round: producers, readers, kills and retention side by side; then readers read what is left. */
async function live(
  log: StoredLog,
  producers: readonly Producer[],
  readers: readonly RestlessReader[],
  isTruncated: boolean,
  random: Random,
): Promise<void> {
  const until = performance.now() + ROUND_MS
  const more = () => performance.now() < until
  const producing = Promise.all(producers.map((producer) => producer.run(more)))
  const reading = Promise.all(
    readers.map(async (reader) => {
      await sleep(random.below(ROUND_MS / 2))
      await reader.run()
    }),
  )
  const harm = [kill(more, random)]
  if (isTruncated) harm.push(truncate(log, more, random))
  await Promise.all([producing, ...harm])
  await log.close()
  const ends = new Map(log.places.map((where) => [where, log.records.get(where)!.length]))
  for (const reader of readers) reader.finish(ends)
  await within(REST_MS, reading).catch((error: unknown) => {
    const missing = readers.map((reader) => reader.missing).join('\n')
    throw new Error(`${missing}\nend: ${JSON.stringify([...ends])}\n${cluster.complaints}`, {
      cause: error,
    })
  })
}

async function kill(more: () => boolean, random: Random): Promise<void> {
  while (more()) {
    await sleep(1000 + random.below(5000))
    await cluster.killOne(random)
  }
}

async function truncate(log: StoredLog, more: () => boolean, random: Random): Promise<void> {
  while (more()) {
    await sleep(random.below(1000))
    await log.truncate(random.pick(log.places), random)
  }
}

function truncationsOf(readers: readonly RestlessReader[]): number {
  return readers.reduce((sum, { controls }) => sum + (controls.get('truncated') ?? 0), 0)
}

function report(
  round: number,
  log: StoredLog,
  producers: readonly Producer[],
  readers: readonly RestlessReader[],
): void {
  const records = log.places.reduce((sum, where) => sum + log.records.get(where)!.length, 0)
  const all = readers.flatMap(({ pieces }) => [...pieces.values()].flat())
  const given = all.reduce(
    (sum, piece) => sum + (piece.kind === 'records' ? piece.offsets.length : 0),
    0,
  )
  const cuts = readers.reduce((sum, reader) => sum + reader.cuts, 0)
  const connections = readers.reduce((sum, reader) => sum + reader.connections, 0)
  const unknown = producers
    .flatMap(({ sent }) => sent)
    .filter(({ outcome }) => outcome === 'unknown')
  totals.records += records
  totals.given += given
  totals.cuts += cuts
  totals.truncations += truncationsOf(readers)
  totals.unknown += unknown.length
  const starts = log.places.reduce((sum, where) => sum + log.starts.get(where)!.size, 0)
  console.log(
    `round ${String(round)}: ${String(records)} records, ${String(unknown.length)} requests of unknown outcome, ` +
      `${String(given)} records given to ${String(readers.length)} readers on ${String(connections)} connections, ` +
      `${String(cuts)} cut by them, ${String(cluster.kills)} nodes killed so far, ${String(starts)} truncations ` +
      `seen ${String(truncationsOf(readers))} times, SEED=${String(SEED)}`,
  )
}
