import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic, fetchRecords, findOffset } from '../../src/client/index.ts'
import { ask } from '../support/answers.ts'
import { moveLogStart } from '../support/log-start.ts'
import { produce } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

/** Timestamps by batch, in no order: they go up and down within batches and between them. */
const BATCHES = [[5, 3, 8], [2], [40, 1, 7, 7], [6, 6], [41], [9, 50, 10, 39], [0], [30, 51, 4]]
const STAMPS = BATCHES.flat()
const END = STAMPS.length

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  for (const topic of ['log', 'trimmed']) {
    for (const batch of BATCHES) {
      await produce(
        server.url,
        topic,
        batch.map((timestamp) => ({ value: 1, timestamp })),
      )
    }
  }
})
afterAll(() => server.stop())

async function offsetAt(topic: string, timestamp: number | string): Promise<number> {
  const params = { topic, partition: 0 }
  const query = { timestamp: String(timestamp) }
  return (await ask(server.url, findOffset, { params, query })).offset
}

/** What it must be: the first record, from the log start on, that is as young. */
function firstSince(timestamp: number, start: number): number {
  const offset = STAMPS.findIndex((stamp, index) => index >= start && stamp >= timestamp)
  return offset === -1 ? END : offset
}

describe('GET /v1/topics/{topic}/partitions/{p}/offsets?timestamp=', () => {
  it('is the first offset whose record is as young, in whatever order times came', async () => {
    for (let timestamp = 0; timestamp <= 52; timestamp++) {
      expect(await offsetAt('log', timestamp), `at ${timestamp}`).toBe(firstSince(timestamp, 0))
    }
  })

  it('looks at nothing before the log start, also inside a batch', async () => {
    for (let start = 1; start <= END; start++) {
      await moveLogStart(server, 'trimmed', start)
      for (const timestamp of [0, 1, 4, 6, 7, 8, 10, 39, 40, 41, 42, 50, 51, 52]) {
        const found = await offsetAt('trimmed', timestamp)
        expect(found, `at ${timestamp} from ${start}`).toBe(firstSince(timestamp, start))
      }
    }
  })

  it('is where a fetch from that time begins', async () => {
    for (const timestamp of [0, 6, 40, 51]) {
      const page = await ask(server.url, fetchRecords, {
        params: { topic: 'log', partition: 0 },
        query: { from: String(timestamp), max_records: 1 },
      })
      expect(page.records[0]!.offset).toBe(firstSince(timestamp, 0))
    }
  })

  it('tells the bounds of the partition beside it', async () => {
    await ask(server.url, createTopic, { body: { name: 'empty' } })
    const query = { timestamp: '2026-11-21T09:00:00Z' }
    for (const [topic, end] of [
      ['log', END],
      ['empty', 0],
    ] as const) {
      const found = await ask(server.url, findOffset, { params: { topic, partition: 0 }, query })
      expect(found).toEqual({
        topic,
        partition: 0,
        offset: end,
        high_watermark: end,
        log_start_offset: 0,
      })
    }
  })

  it('counts the time of storing where a record has no time of its own', async () => {
    await produce(server.url, 'mixed', [{ value: 0, timestamp: 10 }, { value: 1 }])
    await produce(server.url, 'mixed', [{ value: 2 }, { value: 3, timestamp: 20 }])
    const params = { topic: 'mixed', partition: 0 }
    const { records } = await ask(server.url, fetchRecords, { params })
    const [, second, third] = records.map(({ timestamp }) => timestamp)
    expect(await offsetAt('mixed', 10)).toBe(0)
    expect(await offsetAt('mixed', 11)).toBe(1)
    expect(await offsetAt('mixed', second!)).toBe(1)
    expect(await offsetAt('mixed', third! + 1)).toBe(4)
  })
})
