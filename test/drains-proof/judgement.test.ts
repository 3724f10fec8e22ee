import { afterEach, expect, it } from 'vitest'
import { until } from '../support/within.ts'
import { Random } from '../tails/random.ts'
import { FakeReceiver, type Kind, type Mishap } from './fake-receiver.ts'
import { figuresOf } from './figures.ts'
import { judge, retried } from './judgement.ts'
import { LogSource, type Line } from './lines.ts'
import { LogplexNode } from './logplex.ts'

/** The emulated sender and the judge find out the receivers that lose and double lines. */

let receiver: FakeReceiver
let node: LogplexNode
let sent: Line[]
afterEach(async () => {
  await node.close()
  await receiver.close()
})

/** Sends frames one by one, ten lines each, and gives what is wrong with what was stored. */
async function run(kind: Kind, mishaps: readonly Mishap[], frames = 4): Promise<string[]> {
  receiver = await FakeReceiver.open(kind, mishaps)
  node = new LogplexNode({ url: receiver.url, token: 'd.1' }, new Random(1))
  const source = new LogSource('web.1')
  sent = []
  for (let k = 0; k < frames; k++) {
    for (let l = 0; l < 10; l++) {
      const line = source.line(new Random(k, l))
      sent.push(line)
      node.post(line)
    }
    await until(() => node.isIdle)
  }
  return judge(sent, [node], receiver.stored)
}

it('finds nothing wrong with a receiver that stores, knows ids and answers 204', async () => {
  expect(await run('good', ['cut_before', 'cut_after', 'trouble'])).toEqual([])
  expect(retried([node])).toHaveLength(1)
  expect(figuresOf(sent, [node])).toMatchObject({ sent: 40, acknowledged: 40, frames: 4 })
})

it('(a) finds out who answers before he has stored', async () => {
  const wrong = await run('answers_first', ['trouble'])
  expect(wrong).toContain('web.1 no. 0, acknowledged: stored 0 times')
})

it('(b) finds out who knows frames by their bytes, which change with the time of an L10', async () => {
  const wrong = await run('dedupes_by_body', [
    'cut_before',
    'cut_before',
    'cut_before',
    'cut_after',
  ])
  expect(wrong).toContain('web.1 no. 10, acknowledged: stored 2 times')
})

it('(c) finds out who answers 503, and thinks that it will be tried again later', async () => {
  const wrong = await run('says_503', ['trouble', 'trouble', 'trouble'])
  expect(wrong).toContain('web.1 no. 0, tries_spent: stored 0 times')
  expect(wrong.filter((one) => one.endsWith('was answered 503'))).toHaveLength(3)
  expect(figuresOf(sent, [node])).toMatchObject({ tries_spent: 10, retries: 2 })
})

it('(d) finds out who answers in chunks, and is sent everything twice', async () => {
  const wrong = await run('answers_chunked', [])
  expect(wrong.filter((one) => one.endsWith('was answered garbage'))).toHaveLength(3)
  expect(retried([node])).toHaveLength(3)
})
