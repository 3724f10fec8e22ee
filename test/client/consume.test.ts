import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  call,
  consume,
  createTopic,
  getGroup,
  joinGroup,
  resetGroup,
  type ConsumedRecord,
} from '../../src/client/index.ts'
import { produce } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { until } from '../support/within.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

const create = (name: string, partitions: number) =>
  call(server.url, createTopic, { body: { name, partitions } })
const groupOf = (group: string) => call(server.url, getGroup, { params: { group } })
const committed = async (group: string) =>
  (await groupOf(group)).partitions.map((one) => one.committed)

/** This many records for each partition, numbered through. */
function fill(topic: string, partitions: number, each: number): Promise<unknown> {
  const records = Array.from({ length: partitions * each }, (_, value) => ({
    partition: value % partitions,
    value,
  }))
  return produce(server.url, topic, records)
}

/** Lets consumers work until it is so, and then stops them. */
async function stopWhen(
  isSo: () => boolean,
  start: (signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const stop = new AbortController()
  const consuming = start(stop.signal)
  await until(isSo)
  stop.abort()
  await consuming
}

describe('consume', () => {
  it('gives each record once, in order within a partition, and commits what is done', async () => {
    await create('each', 3)
    await fill('each', 3, 50)
    const seen: ConsumedRecord[] = []
    const options = { group: 'once', topics: ['each'], max_records: 20 }
    const note = (record: ConsumedRecord) => void seen.push(record)
    await stopWhen(
      () => seen.length >= 150,
      (signal) => consume(server.url, { ...options, signal }, note),
    )
    for (const partition of [0, 1, 2]) {
      const offsets = seen.filter((one) => one.partition === partition).map(({ offset }) => offset)
      expect(offsets).toEqual(Array.from({ length: 50 }, (_, offset) => offset))
    }
    expect(await committed('once')).toEqual([50, 50, 50])
    expect((await groupOf('once')).members).toEqual([])
  })

  it('works on partitions side by side, and on the records of one after the other', async () => {
    await create('side', 4)
    await fill('side', 4, 5)
    const busy = new Map<number, number>()
    let most = 0
    let done = 0
    const options = { group: 'siding', topics: ['side'], concurrency: 3 }
    const work = async ({ partition }: ConsumedRecord) => {
      busy.set(partition, (busy.get(partition) ?? 0) + 1)
      expect(busy.get(partition)).toBe(1)
      most = Math.max(most, [...busy.values()].filter((count) => count > 0).length)
      await new Promise((resolve) => setTimeout(resolve, 2))
      busy.set(partition, 0)
      done++
    }
    await stopWhen(
      () => done === 20,
      (signal) => consume(server.url, { ...options, signal }, work),
    )
    expect(most).toBe(3)
  })

  it('finishes what it has begun when told to stop, and commits that and no more', async () => {
    await create('stopped', 1)
    await fill('stopped', 1, 10)
    const stop = new AbortController()
    let finished = 0
    const options = { group: 'stopping', topics: ['stopped'], signal: stop.signal }
    await consume(server.url, options, async ({ offset }) => {
      if (offset === 3) stop.abort()
      await new Promise((resolve) => setTimeout(resolve, 1))
      finished++
    })
    expect(finished).toBe(4)
    expect(await committed('stopping')).toEqual([4])
  })

  it('commits what came before a record that its handler throws at, and leaves', async () => {
    await create('thrown', 1)
    await fill('thrown', 1, 10)
    const options = { group: 'throwing', topics: ['thrown'] }
    const consuming = consume(server.url, options, ({ offset }) => {
      if (offset === 6) throw new Error('at six')
    })
    await expect(consuming).rejects.toThrow('at six')
    expect(await committed('throwing')).toEqual([6])
    expect((await groupOf('throwing')).members).toEqual([])
  })

  it('stays a member while a handler takes longer than its session', async () => {
    await create('long', 1)
    await fill('long', 1, 1)
    const stop = new AbortController()
    const timeouts = { session_timeout_ms: 1_000, rebalance_timeout_ms: 60_000 }
    const options = { group: 'longing', topics: ['long'], signal: stop.signal, ...timeouts }
    let seen = 0
    const consuming = consume(server.url, options, async () => {
      seen++
      await new Promise((resolve) => setTimeout(resolve, 3_000))
    })
    await until(() => seen === 1)
    const { generation_id } = await groupOf('longing')
    await until(async () => (await committed('longing'))[0] === 1)
    expect((await groupOf('longing')).generation_id).toBe(generation_id)
    stop.abort()
    await consuming
    expect(seen).toBe(1)
  })

  it('shares with others, and every record is done by one of them', async () => {
    await create('many', 6)
    await fill('many', 6, 100)
    const seen = new Set<unknown>()
    const options = { group: 'sharing', topics: ['many'], max_records: 10 }
    const work = async ({ value }: ConsumedRecord) => {
      await new Promise((resolve) => setTimeout(resolve, 1))
      seen.add(value)
    }
    await stopWhen(
      () => seen.size === 600,
      (signal) =>
        Promise.all([1, 2, 3].map(() => consume(server.url, { ...options, signal }, work))),
    )
    expect(await committed('sharing')).toEqual([100, 100, 100, 100, 100, 100])
  })

  it('goes on where a reset puts it', async () => {
    await create('again', 1)
    await fill('again', 1, 5)
    const stop = new AbortController()
    const seen: unknown[] = []
    const options = { group: 'replaying', topics: ['again'], signal: stop.signal }
    const consuming = consume(server.url, options, ({ value }) => void seen.push(value))
    await until(() => seen.length === 5)
    await until(async () => (await committed('replaying'))[0] === 5)
    const body = { topic: 'again', to: 'earliest' as const }
    await call(server.url, resetGroup, { params: { group: 'replaying' }, body })
    await until(() => seen.length === 10)
    stop.abort()
    await consuming
    expect(seen).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3, 4])
  })

  it('ends where another process has joined under its name', async () => {
    await create('named', 1)
    const options = { group: 'naming', topics: ['named'], member_id: 'me' }
    const consuming = consume(server.url, options, () => undefined)
    const ended = expect(consuming).rejects.toThrow('somebody has joined under its name')
    await until(async () => {
      const found = await groupOf('naming').catch(() => undefined)
      return found?.members.length === 1
    })
    const body = { topics: ['named'], member_id: 'me' }
    await call(server.url, joinGroup, { params: { group: 'naming' }, body })
    await ended
    // The other one is not made to leave.
    expect((await groupOf('naming')).members).toHaveLength(1)
  })

  it('says at once what is wrong with its options', async () => {
    const nowhere = consume(server.url, { group: 'x', topics: ['nowhere'] }, () => undefined)
    await expect(nowhere).rejects.toThrow('There is no topic nowhere.')
  })
})
