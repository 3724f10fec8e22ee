import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createTopic,
  deleteTopic,
  fetchRecords,
  produceRecords,
  send,
} from '../../src/client/index.ts'
import { ask, expectAnswer, expectProblem } from '../support/answers.ts'
import { partitionId } from '../support/log-start.ts'
import { highWatermarks, produce, storedRecords, topicNames } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

const remove = (topic: string) => send(server.url, deleteTopic, { params: { topic } })

/** How many rows the tables of the log hold for these partitions. */
async function rowsOf(ids: number[]): Promise<number> {
  const [row] = await server.database.query<{ rows: number }>(
    `select ((select count(*) from tailrace.batches where partition_id = any($1))
      + (select count(*) from tailrace.receipts where partition_id = any($1))
      + (select count(*) from tailrace.log_starts where partition_id = any($1))
      + (select count(*) from tailrace.deleted_partitions where partition_id = any($1)))::int as rows`,
    [ids],
  )
  return row!.rows
}

describe('DELETE /v1/topics/{topic}', () => {
  it('is 204 once; the topic is gone at once', async () => {
    await produce(server.url, 'once', [{ value: 1 }])
    await expectAnswer(deleteTopic, await remove('once'))
    await expectProblem(await remove('once'), 'unknown_topic_or_partition', { written: 'no' })
    expect(await topicNames(server.url)).not.toContain('once')
    const params = { topic: 'once', partition: 0 }
    const read = await send(server.url, fetchRecords, { params })
    await expectProblem(read, 'unknown_topic_or_partition')
  })

  it('of a topic made anew under the name leaves nothing of the old one', async () => {
    await ask(server.url, createTopic, {
      body: { name: 'anew', partitions: 3, config: { max_record_bytes: 50 } },
    })
    const once = (value: string) =>
      send(server.url, produceRecords, {
        params: { topic: 'anew' },
        body: { records: [{ value, partition: 0 }] },
        headers: { 'idempotency-key': 'k' },
      })
    await expectAnswer(produceRecords, await once('old'))
    await expectAnswer(deleteTopic, await remove('anew'))
    const topic = await ask(server.url, createTopic, { body: { name: 'anew', partitions: 2 } })
    expect(topic.config.max_record_bytes).toBe(1_048_576)
    expect(await highWatermarks(server.url, 'anew')).toEqual([0, 0])
    // The key belonged to the old topic.
    const { offsets } = await expectAnswer(produceRecords, await once('new'))
    expect(offsets).toEqual([{ partition: 0, base_offset: 0, record_count: 1 }])
    expect(await storedRecords(server.url, 'anew')).toEqual(['{"value":"new"}'])
  })

  it('removes its rows in the background', async () => {
    for (const name of ['first', 'second', 'third']) {
      await ask(server.url, createTopic, { body: { name, partitions: 2 } })
      for (const partition of [0, 1, 0, 1]) {
        await ask(server.url, produceRecords, {
          params: { topic: name },
          body: { records: [{ value: 'x'.repeat(1000), partition }] },
          headers: { 'idempotency-key': `${name}-${String(Math.random())}` },
        })
      }
      const ids = [await partitionId(server, name, 0), await partitionId(server, name, 1)]
      expect(await rowsOf(ids)).toBe(10)
      await expectAnswer(deleteTopic, await remove(name))
      await expect.poll(() => rowsOf(ids), { timeout: 10_000 }).toBe(0)
    }
  })

  it('removes the rows of many topics deleted at once', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `many-${String(index)}`)
    const ids: number[] = []
    for (const name of names) {
      await produce(server.url, name, [{ value: 1 }])
      ids.push(await partitionId(server, name))
    }
    await Promise.all(names.map(async (name) => expectAnswer(deleteTopic, await remove(name))))
    await expect.poll(() => rowsOf(ids), { timeout: 10_000 }).toBe(0)
  })

  it('while others produce to it: each is stored somewhere or told no', async () => {
    await produce(server.url, 'busy', [{ value: 0 }])
    const produced = Promise.all(
      Array.from({ length: 20 }, (_, value) =>
        send(server.url, produceRecords, {
          params: { topic: 'busy' },
          body: { records: [{ value }] },
        }),
      ),
    )
    await expectAnswer(deleteTopic, await remove('busy'))
    for (const answer of await produced) {
      if (answer.status === 200) await expectAnswer(produceRecords, answer)
      else await expectProblem(answer, 'unknown_topic_or_partition', { written: 'no' })
    }
  })
})
