import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic, deleteTopic, patchTopic } from '../../src/client/index.ts'
import { ask } from '../support/answers.ts'
import { produce } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { openTail, outline, TAIL_FORMS, valuesOf } from '../support/tail-reader.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

const create = (name: string, partitions = 1) =>
  ask(server.url, createTopic, { body: { name, partitions } })
const grow = (topic: string, partitions: number) =>
  ask(server.url, patchTopic, { params: { topic }, body: { partitions } })
const remove = (topic: string) => ask(server.url, deleteTopic, { params: { topic } })

describe.each(TAIL_FORMS)('a tail as %s', (form) => {
  const open = (topic: string, query = '') =>
    openTail(server.url, form, `/v1/topics/${topic}/tail?${query}`)
  const openAll = (topics: readonly string[], query = '') =>
    openTail(server.url, form, `/v1/tail?topics=${topics.join(',')}&${query}`)

  describe('of a topic that gets more partitions', () => {
    it('follows them from their beginning', async () => {
      const topic = `grown-${form}`
      await create(topic)
      const tail = await open(topic)
      const messages = await tail.upTo('up_to_date')
      await grow(topic, 3)
      // Before the tail looks, it may be: they are read from the beginning all the same.
      await produce(
        server.url,
        topic,
        [2, 1, 2].map((partition, value) => ({ partition, value })),
      )
      messages.push(...(await tail.upToRecords(3)))
      expect(
        outline(messages)
          .filter((one) => /\d/.test(one))
          .sort(),
      ).toEqual(['1:0', '2:0', '2:1'])
      await produce(
        server.url,
        topic,
        [0, 1].map((partition) => ({ partition, value: 'live' })),
      )
      messages.push(...(await tail.upToRecords(2)))
      if (form !== 'ndjson') expect(messages.at(-1)?.position).toBe('0:1,1:2,2:2')
    })

    it('goes on from a position from before', async () => {
      const topic = `grown-since-${form}`
      await create(topic)
      await produce(server.url, topic, [{ value: 0 }, { value: 1 }])
      await grow(topic, 2)
      await produce(server.url, topic, [{ value: 2, partition: 1 }])
      const tail = await open(topic, 'from=0:1')
      expect(await tail.next()).toEqual({ type: 'begin', position: '0:1,1:0' })
      expect(valuesOf(await tail.upTo('up_to_date')).sort()).toEqual([1, 2])
    })

    it('follows none but the partitions it was told', async () => {
      const topic = `not-grown-${form}`
      await create(topic)
      const tail = await open(topic, 'partitions=0')
      const whole = await open(topic)
      await grow(topic, 2)
      await produce(server.url, topic, [{ value: 'other', partition: 1 }])
      // Who follows them has them, so the tails have looked; and a record later there is still none.
      await whole.records(1)
      await produce(server.url, topic, [{ value: 'mine', partition: 0 }])
      expect(valuesOf(await tail.upToRecords(1))).toEqual(['mine'])
    })

    it('among several topics follows each', async () => {
      const topics = [`several-a-${form}`, `several-b-${form}`]
      for (const name of topics) await create(name)
      const tail = await openAll(topics)
      await tail.upTo('up_to_date')
      for (const name of topics) await grow(name, 2)
      for (const name of topics) await produce(server.url, name, [{ value: name, partition: 1 }])
      expect(valuesOf(await tail.upToRecords(2)).sort()).toEqual(topics)
    })
  })

  describe('of a topic that is deleted', () => {
    it('says so, and ends', async () => {
      const topic = `deleted-${form}`
      await create(topic, 3)
      await produce(server.url, topic, [{ value: 1, partition: 0 }])
      const tail = await open(topic, 'from=earliest')
      await tail.upTo('up_to_date')
      await remove(topic)
      expect(await tail.rest()).toEqual([
        { type: 'topic_deleted', topic, position: '' },
        { type: 'end', reason: 'topic_deleted', position: '' },
      ])
      if (form === 'websocket') expect(tail.closed).toEqual({ code: 1000, reason: 'end' })
    })

    it('says so while it reads history', async () => {
      const topic = `deleted-early-${form}`
      await create(topic, 2)
      const records = Array.from({ length: 3000 }, (_, value) => ({ value, partition: 0 }))
      await produce(server.url, topic, records)
      const tail = await open(topic, 'from=earliest&credit=1')
      await remove(topic)
      if (form === 'websocket') tail.say({ type: 'credit', records: 1_000_000 })
      const messages = await tail.rest()
      expect(messages.slice(-2)).toEqual([
        { type: 'topic_deleted', topic, position: '' },
        { type: 'end', reason: 'topic_deleted', position: '' },
      ])
      const values = valuesOf(messages)
      expect(values).toEqual([...values.keys()])
    })

    it('goes on with the others', async () => {
      const [doomed, other] = [`doomed-${form}`, `other-${form}`]
      await create(doomed, 2)
      await create(other, 2)
      const tail = await openAll([doomed, other])
      await tail.upTo('up_to_date')
      await produce(server.url, doomed, [{ value: 'last words', partition: 1 }])
      await tail.records(1)
      await remove(doomed)
      expect(await tail.next()).toEqual({
        type: 'topic_deleted',
        topic: doomed,
        position: `${other}/0:0,${other}/1:0`,
      })
      await produce(server.url, other, [{ value: 'still here', partition: 1 }])
      expect(valuesOf(await tail.upToRecords(1))).toEqual(['still here'])
      await remove(other)
      expect(outline(await tail.rest())).toEqual(['topic_deleted', 'end'])
    })

    it('does not go on with a new one of that name', async () => {
      const topic = `again-${form}`
      await create(topic)
      const tail = await open(topic)
      await tail.upTo('up_to_date')
      await remove(topic)
      await create(topic)
      await produce(server.url, topic, [{ value: 'of another topic' }])
      expect(outline(await tail.rest())).toEqual(['topic_deleted', 'end'])
    })

    it('with an end ahead says so too', async () => {
      const topic = `bounded-${form}`
      await create(topic)
      await produce(server.url, topic, [{ value: 1 }])
      const tail = await open(topic, 'from=earliest&max_records=5')
      await tail.records(1)
      await remove(topic)
      const messages = await tail.rest()
      expect(messages.at(-1)).toMatchObject({ type: 'end', reason: 'topic_deleted' })
    })
  })
})
