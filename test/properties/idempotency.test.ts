import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  call,
  createTopic,
  getTopic,
  produceBody,
  produceRecords,
  send,
} from '../../src/client/index.ts'
import { startNodes, type Nodes } from '../support/nodes.ts'
import { storedRecords } from '../support/records.ts'

/** Whoever sends one request several times, on whichever node and however close together, stores it once. */
const SENDS = 8
const KEYS = 30

let nodes: Nodes
beforeAll(async () => {
  nodes = await startNodes(2)
})
afterAll(() => nodes.stop())

interface Answer {
  status: number
  replayed: boolean
  text: string
}

/** Sends it eight times at once, by turns to the two nodes. */
function sendAll(path: (url: string) => Promise<Response>): Promise<Answer[]> {
  return Promise.all(
    Array.from({ length: SENDS }, async (_, index) => {
      const response = await path(nodes.urls[index % 2]!)
      const replayed = response.headers.get('idempotency-replayed') === 'true'
      return { status: response.status, replayed, text: await response.text() }
    }),
  )
}

function expectStoredOnce(answers: readonly Answer[]): void {
  expect(answers.map(({ status, text }) => [status, text])).toEqual(
    answers.map(() => [200, answers[0]!.text]),
  )
  expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1)
}

const highWatermarks = async (topic: string) => {
  const { offsets } = await call(nodes.urls[0]!, getTopic, { params: { topic } })
  return offsets.map(({ high_watermark }) => high_watermark)
}
const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)

describe(`${String(SENDS)} sends of one request under one key`, () => {
  it.each([
    [
      'keyed',
      (key: number) =>
        [0, 1, 2].map((n) => ({ key: `${String(key)}-${String(n)}`, value: { key, n } })),
    ],
    ['unkeyed', (key: number) => [0, 1, 2].map((n) => ({ value: { key, n } }))],
  ])(
    'store it once and answer the same: %s records in three partitions',
    async (topic, recordsOf) => {
      await call(nodes.urls[0]!, createTopic, { body: { name: topic, partitions: 3 } })
      await Promise.all(
        Array.from({ length: KEYS }, async (_, key) => {
          const records = recordsOf(key)
          const answers = await sendAll((url) =>
            send(url, produceRecords, {
              params: { topic },
              body: { records },
              headers: { 'idempotency-key': `key-${String(key)}` },
            }),
          )
          expectStoredOnce(answers)
        }),
      )
      expect(sum(await highWatermarks(topic))).toBe(3 * KEYS)
      const stored = await Promise.all(
        [0, 1, 2].map((partition) => storedRecords(nodes.urls[1]!, topic, partition)),
      )
      const expected = Array.from({ length: KEYS }, (_, key) => recordsOf(key)).flat()
      expect(stored.flat().sort()).toEqual(expected.map((one) => JSON.stringify(one)).sort())
    },
  )

  it('store it once where the first must make the topic', async () => {
    const answers = await sendAll((url) =>
      send(url, produceBody, {
        params: { topic: 'made' },
        body: 'hello',
        headers: { 'idempotency-key': 'first', 'content-type': 'text/plain' },
      }),
    )
    expectStoredOnce(answers)
    expect(await storedRecords(nodes.urls[0]!, 'made')).toEqual(['{"value":"hello"}'])
  })

  it('store it once while others write to the same partition', async () => {
    await call(nodes.urls[0]!, createTopic, { body: { name: 'crowded' } })
    const others = Array.from({ length: 100 }, (_, index) =>
      call(nodes.urls[index % 2]!, produceBody, { params: { topic: 'crowded' }, body: 'other' }),
    )
    const answers = await sendAll((url) =>
      send(url, produceBody, {
        params: { topic: 'crowded' },
        body: 'mine',
        headers: { 'idempotency-key': 'mine' },
      }),
    )
    await Promise.all(others)
    expectStoredOnce(answers)
    const stored = await storedRecords(nodes.urls[0]!, 'crowded')
    expect(stored.filter((line) => line === '{"value":"mine"}')).toHaveLength(1)
    expect(stored).toHaveLength(101)
  })
})

describe('different requests under one key, sent at once', () => {
  it('store one of them; the others are told so', async () => {
    await call(nodes.urls[0]!, createTopic, { body: { name: 'quarrel', partitions: 3 } })
    let number = 0
    const answers = await sendAll((url) =>
      send(url, produceRecords, {
        params: { topic: 'quarrel' },
        body: { records: [{ value: number++ }] },
        headers: { 'idempotency-key': 'k' },
      }),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([
      200,
      ...Array<number>(SENDS - 1).fill(422),
    ])
    expect(sum(await highWatermarks('quarrel'))).toBe(1)
  })
})

describe('a retry after partitions were added', () => {
  it('finds its receipt on either node, with the offsets of the first time', async () => {
    await call(nodes.urls[0]!, createTopic, { body: { name: 'grown', partitions: 2 } })
    const sendKey = (url: string, key: number) =>
      send(url, produceBody, {
        params: { topic: 'grown' },
        body: `value ${String(key)}`,
        headers: { 'idempotency-key': `key-${String(key)}` },
      })
    const keys = Array.from({ length: 12 }, (_, key) => key)
    const first: string[] = []
    for (const key of keys) first.push(await (await sendKey(nodes.urls[key % 2]!, key)).text())
    await fetch(`${nodes.urls[0]!}/v1/topics/grown`, {
      method: 'PATCH',
      body: '{"partitions":7}',
      headers: { 'content-type': 'application/json' },
    })
    // Also while a node still knows the topic as it was, and when it has looked again.
    for (const node of [1, 0, 1]) {
      for (const key of keys) {
        const response = await sendKey(nodes.urls[node]!, key)
        expect(response.headers.get('idempotency-replayed')).toBe('true')
        expect(await response.text()).toBe(first[key])
      }
    }
    expect(sum(await highWatermarks('grown'))).toBe(keys.length)
  })
})
