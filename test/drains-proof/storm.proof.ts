import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { call } from '../../src/client/index.ts'
import { getDrain } from '../../src/contract/drain-routes.ts'
import type { Drain } from '../../src/contract/drains.ts'
import { until } from '../support/within.ts'
import { Random, SEED, size } from '../tails/random.ts'
import { Faults, type FaultName } from './faults.ts'
import { difference, figuresOf, inWords, type Figures } from './figures.ts'
import { judge } from './judgement.ts'
import { Load } from './load.ts'
import { OpenTails } from './open-tails.ts'
import { Site } from './site.ts'
import { readStoredLines, type StoredLine } from './stored-lines.ts'

/**
 * What an app writes is stored once, while servers and Postgres are killed, frozen and rolled: every line but those
 * that Logplex could not keep for as long as the port refused.
 */
const STORM_MS = size('DRAINS_SECONDS', 120) * 1000
const LINES_PER_S = size('DRAINS_LINES', 1000)
const NODES = 16
const PROCESSES = 24
const PARTITIONS = 4
const NAME = 'shop'
/** Nothing more is stored of what a server holds when nothing was for so long: it tries at least every 2 s. */
const QUIET_MS = 4_000

let site: Site
beforeAll(async () => {
  site = await Site.open()
})
afterAll(() => site.close())

interface Felt {
  name: FaultName
  ms: number
  figures: Figures
}

it('stores every line once, through kills, a freeze and rolling restarts', async () => {
  const url = await site.createDrain(NAME, PARTITIONS)
  const target = { url, token: `d.${randomUUID()}` }
  const load = new Load(target, { nodes: NODES, processes: PROCESSES }, new Random(SEED, 1))
  const tails = new OpenTails(site.url, NAME)
  const faults = new Faults(site, new Random(SEED, 2))
  const felt = await weather(load, faults)
  await comeToRest(load)
  tails.close()
  const drain = await call(site.url, getDrain, { params: { drain: NAME } })
  const stored = await readStoredLines(site.postgres, NAME)
  report(load, felt, stored, drain)
  reportStops(faults, tails)
  const wrong = judge(load.sent, load.nodes, stored)
  if (wrong.length > 0) console.log(site.complaints.slice(-10_000))
  expect(wrong.slice(0, 50), `SEED=${String(SEED)}, ${String(wrong.length)} wrongs`).toEqual([])
  for (const { ended } of faults.stopped) expect(ended).toMatchObject({ code: 0, signal: null })
  expect(site.complaints).not.toMatch(/ExceededWarning|"level":50/)
  expect(tails.records).toBeGreaterThan(0)
  expectHarm(felt, drain)
})

/** The load, and what befalls it; says what senders felt of each fault. */
async function weather(load: Load, faults: Faults): Promise<Felt[]> {
  const felt: Felt[] = []
  const ends = performance.now() + STORM_MS
  let isOver = false
  const writing = load.run(LINES_PER_S, () => !isOver)
  let before = figuresOf(load.sent, load.nodes)
  try {
    await faults.rage(
      () => performance.now() < ends,
      (name, ms) => {
        const after = figuresOf(load.sent, load.nodes)
        felt.push({ name, ms, figures: difference(after, before) })
        before = after
      },
    )
  } finally {
    isOver = true
    await writing
  }
  return felt
}

/** All is delivered, or given up and yet stored by a server that held it. */
async function comeToRest(load: Load): Promise<void> {
  await until(() => load.isIdle)
  load.farewell()
  await until(() => load.isIdle)
  await load.close()
  for (let before = -1, now = await countStored(); now !== before; now = await countStored()) {
    before = now
    await sleep(QUIET_MS)
  }
}

async function countStored(): Promise<number> {
  const sql =
    'select coalesce(sum(next_offset - base_offset), 0)::float8 as count from tailrace.batches'
  const [row] = await site.postgres.query<{ count: number }>(sql)
  return row?.count ?? 0
}

function report(load: Load, felt: readonly Felt[], stored: readonly StoredLine[], drain: Drain) {
  for (const { name, ms, figures } of felt) {
    console.log(`${name} for ${(ms / 1000).toFixed(1)} s: ${inWords(figures)}`)
  }
  const gaps = stored.filter(({ dropped }) => dropped !== undefined)
  const told = gaps.reduce((sum, { dropped = 0 }) => sum + dropped, 0)
  console.log(
    `in all: ${inWords(figuresOf(load.sent, load.nodes))}; stored ${String(stored.length - gaps.length)} lines ` +
      `and ${String(gaps.length)} gaps of ${String(told)} lines; the drain counts ${inWords(drain.received)}; ` +
      `SEED=${String(SEED)}`,
  )
}

function reportStops({ stopped }: Faults, { records, ends }: OpenTails): void {
  const times = stopped.map(({ closed_ms, ended_ms }) => {
    return `${closed_ms.toFixed(0)} ms and ${ended_ms.toFixed(0)} ms`
  })
  console.log(
    `after SIGTERM the port was closed and the server had ended after ${times.join('; ')}. ` +
      `Tails read ${String(records)} records, and came again ${String(ends)} times`,
  )
}

/** A storm that nobody felt would prove nothing. */
function expectHarm(felt: readonly Felt[], drain: Drain): void {
  const sum = (name: FaultName, figure: keyof Figures) =>
    felt.reduce((total, one) => total + (one.name === name ? one.figures[figure] : 0), 0)
  for (const name of ['server_killed', 'postgres_frozen', 'rolling_restart'] as const) {
    expect(sum(name, 'connects_refused'), name).toBeGreaterThan(0)
    expect(sum(name, 'retries'), name).toBeGreaterThan(0)
  }
  expect(sum('postgres_frozen', 'timed_out')).toBeGreaterThan(0)
  expect(felt.some(({ name }) => name === 'postgres_killed')).toBe(true)
  expect(drain.received.duplicates).toBeGreaterThan(0)
}
