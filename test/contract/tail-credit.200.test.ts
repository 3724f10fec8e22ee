import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { produce } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { openTail, outline, valuesOf, type TailReader } from '../support/tail-reader.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

let topics = 0
let topic: string
let stopping: TestServer
let isStopped: boolean
beforeEach(async () => {
  topic = `topic-${String(++topics)}`
  await send(0, 10)
  stopping = await startTestServer({ DATABASE_URL: server.database.url })
  isStopped = false
  return async () => {
    if (!isStopped) await stopping.stop()
  }
})

/** Records whose values are their offsets. */
const send = (from: number, to: number) =>
  produce(
    server.url,
    topic,
    Array.from({ length: to - from }, (_, k) => ({ value: from + k })),
  )

const open = (query: string) =>
  openTail(stopping.url, 'websocket', `/v1/topics/${topic}/tail?from=earliest&${query}`)

/**
 * That nothing more is sent cannot be waited for. But when its server stops, a tail says how far it has
 * come, after all that it has sent.
 */
async function expectNothingMore(tail: TailReader, position: string): Promise<void> {
  isStopped = true
  const [messages] = await Promise.all([tail.rest(), stopping.stop()])
  expect(messages).toEqual([{ type: 'draining', position }])
}

describe('credit', () => {
  it('given with the request is all that comes', async () => {
    const tail = await open('credit=2')
    expect(outline(await tail.upToRecords(2))).toEqual(['begin', '0:0', '0:1'])
    await send(10, 12)
    await expectNothingMore(tail, '0:2')
  })

  it('of none lets nothing come but where the tail begins', async () => {
    const tail = await open('credit=0')
    expect(await tail.next()).toEqual({ type: 'begin', position: '0:0' })
    await send(10, 11)
    await expectNothingMore(tail, '0:0')
  })

  it('adds up', async () => {
    const tail = await open('credit=1')
    for (const records of [1, 3]) tail.say({ type: 'credit', records })
    expect(valuesOf(await tail.upToRecords(5))).toEqual([0, 1, 2, 3, 4])
    tail.say({ type: 'credit', records: 2 })
    expect(valuesOf(await tail.upToRecords(2))).toEqual([5, 6])
    await expectNothingMore(tail, '0:7')
  })

  it('reaches over what is there into what comes', async () => {
    const tail = await open('credit=12')
    expect(outline(await tail.upTo('up_to_date'))).toHaveLength(12)
    await send(10, 20)
    expect(valuesOf(await tail.upToRecords(2))).toEqual([10, 11])
    tail.say({ type: 'credit', records: 1 })
    expect(valuesOf(await tail.upToRecords(1))).toEqual([12])
    await expectNothingMore(tail, '0:13')
  })

  it('bounds a tail that had no bound', async () => {
    const tail = await open('')
    await tail.upTo('up_to_date')
    tail.say({ type: 'credit', records: 3 })
    // It counts from when it was heard: only then is there more.
    await tail.heard()
    await send(10, 20)
    expect(valuesOf(await tail.upToRecords(3))).toEqual([10, 11, 12])
    await expectNothingMore(tail, '0:13')
  })

  it('is not used up by records of other keys', async () => {
    const keys = ['a', 'b', 'b', 'a', 'b', 'a', 'a']
    await produce(
      server.url,
      topic,
      keys.map((key) => ({ key, value: key })),
    )
    const tail = await open('key=a&credit=2')
    expect(valuesOf(await tail.upToRecords(2))).toEqual(['a', 'a'])
    await expectNothingMore(tail, '0:14')
  })
})

describe('pause', () => {
  it('holds records back until resume', async () => {
    const tail = await open('')
    await tail.upTo('up_to_date')
    tail.say({ type: 'pause' })
    await tail.heard()
    await send(10, 12)
    tail.say({ type: 'resume' })
    expect(valuesOf(await tail.upToRecords(2))).toEqual([10, 11])
    tail.say({ type: 'pause' })
    tail.say({ type: 'pause' })
    await tail.heard()
    await send(12, 14)
    await expectNothingMore(tail, '0:12')
  })

  it('said at once holds history back, too', async () => {
    const tail = await open('credit=0')
    tail.say({ type: 'pause' })
    tail.say({ type: 'credit', records: 5 })
    await tail.heard()
    expect(await tail.next()).toEqual({ type: 'begin', position: '0:0' })
    await expectNothingMore(tail, '0:0')
  })

  it('keeps credit, and takes more', async () => {
    const tail = await open('credit=1')
    expect(outline(await tail.upToRecords(1))).toEqual(['begin', '0:0'])
    tail.say({ type: 'pause' })
    tail.say({ type: 'credit', records: 2 })
    tail.say({ type: 'credit', records: 1 })
    tail.say({ type: 'resume' })
    expect(valuesOf(await tail.upToRecords(3))).toEqual([1, 2, 3])
    await expectNothingMore(tail, '0:4')
  })
})
