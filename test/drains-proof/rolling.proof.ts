import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { until } from '../support/within.ts'
import { Random, SEED, size } from '../tails/random.ts'
import { figuresOf, inWords } from './figures.ts'
import { judge } from './judgement.ts'
import { Load } from './load.ts'
import type { LogplexNode } from './logplex.ts'
import { OpenTails } from './open-tails.ts'
import { Site } from './site.ts'
import { readStoredLines } from './stored-lines.ts'

/**
 * One restart after the other under many senders: each takes a sender one try, as its connection is closed, and never
 * a second one on a connection that was still taken. So many senders, as it is decided within milliseconds.
 */
const ROLLS = size('DRAINS_ROLLS', 10)
const NODES = 120
const LINES_PER_S = 1_500

let site: Site
beforeAll(async () => {
  site = await Site.open()
})
afterAll(() => site.close())

it('takes a frame one try in a restart', async () => {
  const target = { url: await site.createDrain('shop', 4), token: `d.${randomUUID()}` }
  const load = new Load(target, { nodes: NODES, processes: 24 }, new Random(SEED))
  const tails = new OpenTails(site.url, 'shop')
  let isOver = false
  const writing = load.run(LINES_PER_S, () => !isOver)
  for (let roll = 0; roll < ROLLS; roll++) {
    await untilAllDelivered(load.nodes)
    const { ended } = await site.roll()
    expect(ended).toMatchObject({ code: 0, signal: null })
  }
  isOver = true
  await writing
  tails.close()
  await until(() => load.isIdle)
  load.farewell()
  await until(() => load.isIdle)
  await load.close()
  const tries = triesOf(load.nodes)
  console.log(
    `${inWords(figuresOf(load.sent, load.nodes))}; frames by answers: ${inWords(tries)}; SEED=${String(SEED)}`,
  )
  const wrong = judge(load.sent, load.nodes, await readStoredLines(site.postgres, 'shop'))
  expect(wrong.slice(0, 50), `SEED=${String(SEED)}, ${String(wrong.length)} wrongs`).toEqual([])
  const several = Object.keys(tries).filter((name) => name.startsWith('closed closed'))
  expect(several, 'frames that a restart took two tries').toEqual([])
  expect(tries['closed 204']).toBeGreaterThan(ROLLS)
})

/** Until every sender has got a frame through that it had yet to deliver. */
async function untilAllDelivered(nodes: readonly LogplexNode[]): Promise<void> {
  const before = nodes.map(({ delivered }) => delivered)
  await until(() => nodes.every(({ delivered }, k) => delivered > (before[k] ?? 0)))
}

/** How many frames were answered how. */
function triesOf(nodes: readonly LogplexNode[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { answers } of nodes.flatMap(({ frames }) => frames)) {
    const name = answers.join(' ')
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}
