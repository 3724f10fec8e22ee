import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic, produceRecords, send } from '../../src/client/index.ts'
import { ask, expectAnswer, expectProblem } from '../support/answers.ts'
import { highWatermarks, produce, topicNames } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await ask(server.url, createTopic, { body: { name: 'log', partitions: 3 } })
  await produce(
    server.url,
    'log',
    [0, 1, 1, 2, 2, 2].map((partition) => ({ value: 'old', partition })),
  )
})
afterAll(() => server.stop())

/** Offsets by partition. */
type Offsets = Record<number, number>

const entries = (offsets: Offsets) =>
  Object.entries(offsets).map(([partition, offset]) => [Number(partition), offset] as const)

function produceIf(expected: Offsets, headers: Record<string, string> = {}) {
  return send(server.url, produceRecords, {
    params: { topic: 'log' },
    headers,
    body: {
      records: [0, 1, 2].map((partition) => ({ value: 'new', partition })),
      expected_offsets: entries(expected).map(([partition, offset]) => ({ partition, offset })),
    },
  })
}

describe('expected_offsets that are not the high watermarks', () => {
  it.each<[string, Offsets, Offsets]>([
    ['behind', { 1: 1 }, { 1: 2 }],
    ['ahead', { 2: 4 }, { 2: 3 }],
    ['one of several', { 0: 1, 1: 2, 2: 0 }, { 2: 3 }],
    ['all of several', { 0: 0, 1: 0, 2: 0 }, { 0: 1, 1: 2, 2: 3 }],
    ['the largest offset there is', { 0: Number.MAX_SAFE_INTEGER }, { 0: 1 }],
  ])('%s: 412 names those that differ, and nothing is written', async (_, expected, differing) => {
    const problem = await expectProblem(await produceIf(expected), 'offset_mismatch', {
      written: 'no',
    })
    const named = entries(differing).map(([partition, high_watermark]) => ({
      partition,
      high_watermark,
    }))
    expect(problem['offsets']).toEqual(named)
    expect(await highWatermarks(server.url, 'log')).toEqual([1, 2, 3])
  })

  it('do not use up an Idempotency-Key', async () => {
    const key = { 'idempotency-key': 'decide-again' }
    await expectProblem(await produceIf({ 0: 9 }, key), 'offset_mismatch')
    await expectAnswer(produceRecords, await produceIf({ 0: 1 }, key))
    // A retry is answered from the receipt: the offsets have moved on by its own first try.
    const retry = await produceIf({ 0: 1 }, key)
    expect(retry.headers.get('idempotency-replayed')).toBe('true')
    expect(await highWatermarks(server.url, 'log')).toEqual([2, 3, 4])
  })

  it('of a partition that is not there: 404, nothing is written', async () => {
    const before = await highWatermarks(server.url, 'log')
    await expectProblem(await produceIf({ 3: 0 }), 'unknown_topic_or_partition', { written: 'no' })
    expect(await highWatermarks(server.url, 'log')).toEqual(before)
  })

  it('of a topic that is not there: refused, and no topic is made', async () => {
    for (const partition of [0, 3]) {
      const response = await send(server.url, produceRecords, {
        params: { topic: `missing-${String(partition)}` },
        body: { records: [{ value: 1 }], expected_offsets: [{ partition, offset: 7 }] },
      })
      await expectProblem(
        response,
        partition === 0 ? 'offset_mismatch' : 'unknown_topic_or_partition',
        {
          written: 'no',
        },
      )
    }
    expect(await topicNames(server.url)).toEqual(['log'])
  })
})
