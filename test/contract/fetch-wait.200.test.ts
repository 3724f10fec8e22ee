import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createTopic,
  deleteTopic,
  fetchRecords,
  getLiveness,
  send,
  type FetchResponse,
} from '../../src/client/index.ts'
import { ask, expectAnswer, expectProblem } from '../support/answers.ts'
import { partitionId } from '../support/log-start.ts'
import { produce } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

/** Far longer than a test may take: who waits it out fails. */
const LONG = 60_000

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

type Query = NonNullable<Parameters<typeof ask<typeof fetchRecords>>[2]>['query']

/** Begins a fetch; another request has gone there and back before this returns. */
async function begin(
  topic: string,
  query: Query,
  signal?: AbortSignal,
): Promise<Promise<Response>[]> {
  const options = { params: { topic, partition: 0 }, query: { max_wait_ms: LONG, ...query } }
  const waiting = send(server.url, fetchRecords, { ...options, ...(signal ? { signal } : {}) })
  await ask(server.url, getLiveness)
  return [waiting]
}

async function create(name: string, partitions = 1): Promise<void> {
  await ask(server.url, createTopic, { body: { name, partitions } })
}

async function answerOf([waiting]: Promise<Response>[]): Promise<FetchResponse> {
  return expectAnswer(fetchRecords, await waiting!)
}

const valuesOf = ({ records }: FetchResponse) => records.map(({ value }) => value)

describe('a fetch that waits', () => {
  it.each<[string, Query]>([
    ['an offset', { offset: 0 }],
    ['the earliest', { from: 'earliest' }],
    ['the last five', { from: '-5' }],
    ['a time', { from: '2026-11-21T09:00:00Z' }],
  ])('from %s is woken by the next record', async (name, query) => {
    const topic = `woken-${name.replaceAll(' ', '-')}`
    await create(topic)
    const waiting = await begin(topic, query)
    await produce(server.url, topic, [{ value: 'news' }])
    expect(valuesOf(await answerOf(waiting))).toEqual(['news'])
  })

  it('all who wait are woken', async () => {
    await create('many')
    const waiting = await Promise.all(
      Array.from({ length: 20 }, () => begin('many', { offset: 0 })),
    )
    await produce(server.url, 'many', [{ value: 'news' }])
    for (const page of await Promise.all(waiting.map(answerOf))) {
      expect(valuesOf(page)).toEqual(['news'])
    }
  })

  it('is woken by a record that another node appended', async () => {
    await create('elsewhere')
    const waiting = await begin('elsewhere', { offset: 0 })
    const line = Buffer.from('{"value":"from afar"}\n')
    await server.database.query(
      'select tailrace.append_batches($1, true, array[1], array[$2::int], array[0], array[true], $3)',
      [await partitionId(server, 'elsewhere'), line.length, line],
    )
    expect(valuesOf(await answerOf(waiting))).toEqual(['from afar'])
  })

  it('is not woken by other partitions', async () => {
    await create('two', 2)
    const waiting = await begin('two', { offset: 0 })
    await produce(server.url, 'two', [{ value: 'other', partition: 1 }])
    await produce(server.url, 'two', [{ value: 'mine', partition: 0 }])
    expect(valuesOf(await answerOf(waiting))).toEqual(['mine'])
  })

  it('gives an empty page when its time is over', async () => {
    await create('quiet')
    const page = await answerOf(await begin('quiet', { offset: 0, max_wait_ms: 20 }))
    expect(page).toMatchObject({ records: [], next_offset: 0, high_watermark: 0 })
  })

  it('whose caller hangs up leaves the server as it was', async () => {
    await create('abandoned')
    const controller = new AbortController()
    const waiting = await Promise.all(
      Array.from({ length: 10 }, () => begin('abandoned', { offset: 0 }, controller.signal)),
    )
    controller.abort()
    for (const [one] of waiting) await expect(one).rejects.toThrow(/abort/)
    await produce(server.url, 'abandoned', [{ value: 1 }])
    expect(valuesOf(await answerOf(await begin('abandoned', { offset: 0 })))).toEqual([1])
  })

  it('hears that its topic was deleted', async () => {
    await create('doomed')
    const [waiting] = await begin('doomed', { offset: 0 })
    await ask(server.url, deleteTopic, { params: { topic: 'doomed' } })
    await expectProblem(await waiting!, 'unknown_topic_or_partition')
  })
})

describe('a server that stops', () => {
  it('sends those who wait home with what there is', async () => {
    const stopping = await startTestServer()
    const { url } = stopping
    await ask(url, createTopic, { body: { name: 'log' } })
    const query = { offset: 0, max_wait_ms: LONG }
    const waiting = send(url, fetchRecords, { params: { topic: 'log', partition: 0 }, query })
    await ask(url, getLiveness)
    await stopping.stop()
    expect(valuesOf(await expectAnswer(fetchRecords, await waiting))).toEqual([])
  })
})
