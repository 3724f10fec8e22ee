import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { until } from '../support/within.ts'
import { Random, SEED, size } from '../tails/random.ts'
import { figuresOf, inWords } from './figures.ts'
import { judge } from './judgement.ts'
import { Load } from './load.ts'
import { Site } from './site.ts'
import { readStoredLines } from './stored-lines.ts'

/**
 * Postgres is away for a minute, four times as long as Logplex tries a frame: as the port refuses meanwhile, the
 * lines of an app that writes no more than its buffers hold are all there afterwards.
 */
const AWAY_MS = size('DRAINS_AWAY_SECONDS', 60) * 1000
const NODES = 4
/** What the busiest node gets of it in a minute, half of it, is two thirds of its buffer. */
const LINES_PER_S = 23

let site: Site
beforeAll(async () => {
  site = await Site.open()
})
afterAll(() => site.close())

it('loses nothing while Postgres is away for a minute', async () => {
  const target = { url: await site.createDrain('shop', 4), token: `d.${randomUUID()}` }
  const load = new Load(target, { nodes: NODES, processes: 8 }, new Random(SEED))
  let isOver = false
  const writing = load.run(LINES_PER_S, () => !isOver)
  await until(() => load.nodes.every(({ frames }) => frames.length > 1))
  await site.postgres.freeze()
  await sleep(AWAY_MS)
  site.postgres.thaw()
  await until(() => load.isIdle)
  isOver = true
  await writing
  await until(() => load.isIdle)
  await load.close()
  const figures = figuresOf(load.sent, load.nodes)
  console.log(`${inWords(figures)}; SEED=${String(SEED)}`)
  const stored = await readStoredLines(site.postgres, 'shop')
  expect(judge(load.sent, load.nodes, stored)).toEqual([])
  expect(figures).toMatchObject({ displaced: 0, tries_spent: 0, acknowledged: load.sent.length })
  expect(figures.connects_refused).toBeGreaterThan(0)
})
