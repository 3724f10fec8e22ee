import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { call } from '../../src/client/index.ts'
import { getDrain } from '../../src/contract/drain-routes.ts'
import { until } from '../support/within.ts'
import { Random, SEED } from '../tails/random.ts'
import { BlipProxy, type Blip } from './blip-proxy.ts'
import { figuresOf, inWords } from './figures.ts'
import { judgeLines, judgeOrder, placesOf } from './judgement.ts'
import { Load } from './load.ts'
import { Site } from './site.ts'
import { readStoredLines } from './stored-lines.ts'

/**
 * A frame that is lost is told of by an L10 without a newline at the head of the next. Receivers that count lines
 * refuse that one, which makes another L10, and so on for ever. After such a blip nothing more is lost.
 */
const LINES_PER_S = 300
const LINES_AFTER = 1_000

let site: Site
beforeAll(async () => {
  site = await Site.open()
})
afterAll(() => site.close())

it.each<Blip>(['reset', '503'])('loses nothing more after a blip: %s', async (blip) => {
  const name = `blip-${blip}`
  const proxy = await BlipProxy.open(await site.createDrain(name, 1))
  const target = { url: proxy.url, token: `d.${randomUUID()}` }
  const load = new Load(target, { nodes: 1, processes: 4 }, new Random(SEED))
  let isOver = false
  const writing = load.run(LINES_PER_S, () => !isOver)
  const count = (fate: 'acknowledged' | 'tries_spent') => figuresOf(load.sent, load.nodes)[fate]
  await until(() => count('acknowledged') > 0)
  proxy.blip = blip
  await until(() => count('tries_spent') > 0)
  proxy.blip = 'none'
  const before = count('acknowledged')
  await until(() => count('acknowledged') > before + LINES_AFTER)
  isOver = true
  await writing
  await until(() => load.isIdle)
  await load.close()
  proxy.close()
  console.log(inWords(figuresOf(load.sent, load.nodes)))
  await expectOneLoss(name, load)
})

/** The lines of the frames in the blip are lost, and told of; all others are there once and in order. */
async function expectOneLoss(name: string, load: Load): Promise<void> {
  const stored = await readStoredLines(site.postgres, name)
  const lost = load.sent.filter(({ fate }) => fate === 'tries_spent')
  const others = load.sent.filter(({ fate }) => fate !== 'tries_spent')
  const places = placesOf(stored)
  expect(judgeLines(others, places)).toEqual([])
  expect(load.nodes.flatMap((node) => judgeOrder(node, places))).toEqual([])
  expect(others.every(({ fate }) => fate === 'acknowledged')).toBe(true)
  expect(stored.flatMap(({ dropped = [] }) => dropped)).toEqual([lost.length])
  const { gaps } = await call(site.url, getDrain, { params: { drain: name } })
  expect(gaps).toMatchObject({ count: 1, dropped_lines: lost.length })
}
