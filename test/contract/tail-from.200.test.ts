import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic } from '../../src/client/index.ts'
import { ask } from '../support/answers.ts'
import { moveLogStart } from '../support/log-start.ts'
import { produce } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { openTail, outline, TAIL_FORMS, textsOf, valuesOf } from '../support/tail-reader.ts'
import type { TailMessage } from '../support/tail-texts.ts'

/** Three partitions with four, two and no records, whose timestamps are 1,000, 2,000 and so on. */
const COUNTS = [4, 2, 0]

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await ask(server.url, createTopic, { body: { name: 'log', partitions: COUNTS.length } })
  for (const [partition, count] of COUNTS.entries()) {
    for (let k = 1; k <= count; k++) {
      await produce(server.url, 'log', [{ partition, timestamp: k * 1000, value: k }])
    }
  }
})
afterAll(() => server.stop())

const ofPartition = (messages: readonly TailMessage[], partition: number) =>
  textsOf(messages).filter(({ record }) => record.partition === partition)

describe.each(TAIL_FORMS)('a tail as %s', (form) => {
  const open = (query: string, headers = {}) =>
    openTail(server.url, form, `/v1/topics/log/tail?${query}`, headers)

  it.each([
    ['earliest', '0:0,1:0,2:0'],
    ['latest', '0:4,1:2,2:0'],
    ['-1', '0:3,1:1,2:0'],
    ['-3', '0:1,1:0,2:0'],
    ['-0', '0:4,1:2,2:0'],
    ['-999999999999999', '0:0,1:0,2:0'],
    ['2000', '0:1,1:1,2:0'],
    ['1970-01-01T00:00:03.000Z', '0:2,1:2,2:0'],
    ['1970-01-01T01:00:03%2B01:00', '0:2,1:2,2:0'],
    ['0', '0:0,1:0,2:0'],
    ['8640000000000000', '0:4,1:2,2:0'],
    ['2100-01-01T00:00:00Z', '0:4,1:2,2:0'],
    ['0:1,1:2,2:0', '0:1,1:2,2:0'],
    ['2:0,0:4', '0:4,1:0,2:0'],
    // Those that it does not name were added since it was given.
    ['0:3', '0:3,1:0,2:0'],
    ['log/0:2,1:1', '0:2,1:1,2:0'],
    ['000:0000000000000003,001:02', '0:3,1:2,2:0'],
  ])('from=%s begins at %s', async (from, position) => {
    const tail = await open(`from=${from}`)
    expect(await tail.next()).toEqual({ type: 'begin', position })
    const left = position.split(',').map((place, k) => COUNTS[k]! - Number(place.split(':')[1]))
    const messages = await tail.upTo('up_to_date')
    for (const [partition, count] of left.entries()) {
      const values = valuesOf(ofPartition(messages, partition))
      const first = COUNTS[partition]! - count + 1
      expect(values).toEqual(Array.from({ length: count }, (_, k) => first + k))
    }
    expect(messages.at(-1)).toMatchObject({ position: '0:4,1:2,2:0' })
  })

  it.each([
    ['0', '0:0'],
    ['1', '1:0'],
    ['2,0', '2:0,0:0'],
    ['2,1,0', '2:0,1:0,0:0'],
    ['00,002', '0:0,2:0'],
  ])('partitions=%s reads those alone', async (partitions, position) => {
    const tail = await open(`from=earliest&until=latest&partitions=${partitions}`)
    const messages = await tail.rest()
    expect(messages[0]).toMatchObject({ type: 'begin', position })
    const wanted = partitions.split(',').map(Number)
    const expected = wanted.flatMap((partition) =>
      Array.from({ length: COUNTS[partition]! }, (_, k) => `${String(partition)}:${String(k)}`),
    )
    expect(outline(messages.slice(1, -1)).sort()).toEqual(expected.sort())
  })

  it('Last-Event-ID counts more than from', async () => {
    const tail = await open('from=earliest', { 'last-event-id': '0:3,1:2,2:0' })
    expect(await tail.next()).toEqual({ type: 'begin', position: '0:3,1:2,2:0' })
    expect(outline(await tail.upTo('up_to_date'))).toEqual(['0:3', 'up_to_date'])
  })

  it('an empty Last-Event-ID says nothing', async () => {
    const tail = await open('from=-1', { 'last-event-id': '' })
    expect(await tail.next()).toEqual({ type: 'begin', position: '0:3,1:1,2:0' })
  })

  it('can go on from where a tail ended', async () => {
    const ended = await (await open('from=earliest&until=0:2,1:2')).rest()
    const end = ended.at(-1) as { position: string }
    const tail = await open(`from=${end.position}`)
    await tail.next()
    expect(outline(await tail.upTo('up_to_date'))).toEqual(['0:2', '0:3', 'up_to_date'])
  })

  it('with until reconnects to the same end', async () => {
    const first = await open('from=earliest&until=latest')
    const begin = (await first.next()) as { until: string }
    first.close()
    const again = await (await open(`from=0:1,1:1,2:0&until=${begin.until}`)).rest()
    expect(again[0]).toMatchObject({ until: '0:4,1:2,2:0' })
    expect(outline(again.slice(1)).sort()).toEqual(['0:1', '0:2', '0:3', '1:1', 'end'])
  })

  it('from=earliest begins where the log does now', async () => {
    const topic = `cut-${form}`
    await produce(
      server.url,
      topic,
      [1, 2, 3, 4].map((value) => ({ value })),
    )
    await moveLogStart(server, topic, 2)
    for (const from of ['earliest', '-3', '0', '']) {
      const path = `/v1/topics/${topic}/tail?until=latest&from=${from || '0:2'}`
      const messages = await (await openTail(server.url, form, path)).rest()
      expect(messages[0]).toMatchObject({ type: 'begin', position: '0:2' })
      expect(valuesOf(messages)).toEqual([3, 4])
    }
  })
})
