import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createTopic,
  patchTopic,
  produceBody,
  produceRecords,
  send,
} from '../../src/client/index.ts'
import { ask, expectAnswer } from '../support/answers.ts'
import { highWatermarks, produce, storedRecords } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)

/** Produces under a key; the answer, and whether it was a replay. */
async function produceOnce(topic: string, key: string, records: { value: number; key?: string }[]) {
  const response = await send(server.url, produceRecords, {
    params: { topic },
    body: { records },
    headers: { 'idempotency-key': key },
  })
  const replayed = response.headers.get('idempotency-replayed')
  return { ...(await expectAnswer(produceRecords, response)), replayed }
}

describe('Idempotency-Key', () => {
  it('a retry gets the same offsets, and says that it is one', async () => {
    const first = await produceOnce('retried', 'k', [{ value: 1 }, { value: 2 }])
    await produce(server.url, 'retried', [{ value: 'between' }])
    const second = await produceOnce('retried', 'k', [{ value: 1 }, { value: 2 }])
    expect(first.replayed).toBeNull()
    expect(second).toEqual({ ...first, replayed: 'true' })
    expect(await highWatermarks(server.url, 'retried')).toEqual([3])
  })

  it('works by the short door', async () => {
    const post = () =>
      supertest(server.url).post('/t/short').set('idempotency-key', 'k').type('text').send('once')
    const answers = [await post(), await post(), await post()]
    for (const answer of answers) {
      const { offsets } = await expectAnswer(produceBody, answer)
      expect(offsets).toEqual([{ partition: 0, base_offset: 0, record_count: 1 }])
    }
    const replays = answers.map(({ headers }) => headers['idempotency-replayed'] as unknown)
    expect(replays).toEqual([undefined, 'true', 'true'])
    expect(await storedRecords(server.url, 'short')).toEqual(['{"value":"once"}'])
  })

  it.each([1, 5])('eight at once are stored once (%i partitions)', async (partitions) => {
    const name = `race-${String(partitions)}`
    await ask(server.url, createTopic, { body: { name, partitions } })
    const records = [{ value: 1, key: 'a' }, { value: 2, key: 'b' }, { value: 3 }]
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => produceOnce(name, 'same', records)),
    )
    expect(new Set(answers.map(({ offsets }) => JSON.stringify(offsets))).size).toBe(1)
    expect(answers.filter(({ replayed }) => replayed === null)).toHaveLength(1)
    expect(sum(await highWatermarks(server.url, name))).toBe(3)
  })

  it('still finds its receipt after partitions were added', async () => {
    await ask(server.url, createTopic, { body: { name: 'grown', partitions: 2 } })
    const keys = Array.from({ length: 12 }, (_, index) => `key-${String(index)}`)
    const first = []
    for (const key of keys) first.push(await produceOnce('grown', key, [{ value: 1 }]))
    await ask(server.url, patchTopic, { params: { topic: 'grown' }, body: { partitions: 9 } })
    for (const [index, key] of keys.entries()) {
      const again = await produceOnce('grown', key, [{ value: 1 }])
      expect(again).toEqual({ ...first[index], replayed: 'true' })
    }
    expect(sum(await highWatermarks(server.url, 'grown'))).toBe(12)
  })

  it('takes up to 255 characters, of any kind a header can hold', async () => {
    for (const key of ['x'.repeat(255), 'with space, and "quotes"', '\u00e9\u00ff', '0']) {
      expect((await produceOnce('kinds', key, [{ value: 1 }])).replayed).toBeNull()
      expect((await produceOnce('kinds', key, [{ value: 1 }])).replayed).toBe('true')
    }
    expect(await highWatermarks(server.url, 'kinds')).toEqual([4])
  })

  it('is a key of its topic: another topic knows nothing of it', async () => {
    expect((await produceOnce('one', 'k', [{ value: 1 }])).replayed).toBeNull()
    expect((await produceOnce('two', 'k', [{ value: 1 }])).replayed).toBeNull()
  })
})
