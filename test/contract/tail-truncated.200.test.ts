import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic } from '../../src/client/index.ts'
import { ask } from '../support/answers.ts'
import { partitionId } from '../support/log-start.ts'
import { produce } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { openTail, outline, TAIL_FORMS, valuesOf } from '../support/tail-reader.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

/** Removes the records before an offset, as retention will: whole batches, the log's start perhaps inside one. */
async function removeBefore(topic: string, offset: number, partition = 0): Promise<void> {
  const id = await partitionId(server, topic, partition)
  await server.database.query(
    'update tailrace.log_starts set log_start_offset = $1 where partition_id = $2',
    [offset, id],
  )
  await server.database.query(
    'delete from tailrace.batches where partition_id = $1 and next_offset <= $2',
    [id, offset],
  )
}

/** One record a request, each value its offset. */
async function produceNumbers(topic: string, from: number, to: number): Promise<void> {
  for (let value = from; value < to; value++) await produce(server.url, topic, [{ value }])
}

describe.each(TAIL_FORMS)('a tail as %s', (form) => {
  const open = (topic: string, query: string) =>
    openTail(server.url, form, `/v1/topics/${topic}/tail?${query}`)

  it.each([
    ['between two batches', 4, [4, 5, 6]],
    ['inside a batch', 5, [5, 6]],
    ['at the end of the log', 7, []],
  ])('that begins before what is kept says what is missing: %s', async (where, start, values) => {
    const topic = `before-${form}-${where.replaceAll(' ', '-')}`
    await produceNumbers(topic, 0, 4)
    await produce(
      server.url,
      topic,
      [4, 5, 6].map((value) => ({ value })),
    )
    await removeBefore(topic, start)
    const tail = await open(topic, 'from=0:1')
    expect(await tail.next()).toEqual({ type: 'begin', position: '0:1' })
    expect(await tail.next()).toEqual({
      type: 'truncated',
      topic,
      partition: 0,
      offset: 1,
      log_start_offset: start,
      position: `0:${String(start)}`,
    })
    expect(valuesOf(await tail.upTo('up_to_date'))).toEqual(values)
    await produce(server.url, topic, [{ value: 7 }])
    expect(await tail.next()).toMatchObject({ type: 'record', record: { offset: 7, value: 7 } })
  })

  it('with on_truncated=end ends there', async () => {
    const topic = `ended-${form}`
    await produceNumbers(topic, 0, 4)
    await removeBefore(topic, 2)
    const tail = await open(topic, 'from=0:0&on_truncated=end')
    const [begin, ...messages] = await tail.rest()
    expect(begin).toEqual({ type: 'begin', position: '0:0' })
    expect(messages).toEqual([
      { type: 'truncated', topic, partition: 0, offset: 0, log_start_offset: 2, position: '0:2' },
      { type: 'end', reason: 'truncated', position: '0:2' },
    ])
    if (form === 'websocket') expect(tail.closed).toEqual({ code: 1000, reason: 'end' })
  })

  it('says so for one partition and reads the others whole', async () => {
    const topic = `one-of-three-${form}`
    await ask(server.url, createTopic, { body: { name: topic, partitions: 3 } })
    for (let value = 0; value < 4; value++) {
      await produce(
        server.url,
        topic,
        [0, 1, 2].map((partition) => ({ partition, value })),
      )
    }
    await removeBefore(topic, 3, 1)
    const messages = await (await open(topic, 'from=0:2,1:1,2:2&until=latest')).rest()
    expect(outline(messages).sort()).toEqual(
      ['0:2', '0:3', '1:3', '2:2', '2:3', 'begin', 'end', 'truncated'].sort(),
    )
    expect(messages.find(({ type }) => type === 'truncated')).toMatchObject({
      partition: 1,
      offset: 1,
      log_start_offset: 3,
    })
  })

  it('that ends before what is kept ends with that', async () => {
    const topic = `gone-${form}`
    await produceNumbers(topic, 0, 6)
    await removeBefore(topic, 5)
    const messages = await (await open(topic, 'from=0:1&until=0:3')).rest()
    expect(outline(messages)).toEqual(['begin', 'truncated', 'end'])
    expect(messages[2]).toMatchObject({ reason: 'until' })
  })

  it('that is live hears nothing of what it already had', async () => {
    const topic = `had-${form}`
    await produceNumbers(topic, 0, 3)
    const tail = await open(topic, 'from=earliest')
    expect(outline(await tail.upTo('up_to_date'))).toHaveLength(5)
    await removeBefore(topic, 3)
    await produceNumbers(topic, 3, 5)
    expect(outline([await tail.next(), await tail.next()])).toEqual(['0:3', '0:4'])
  })

  it('that is live and slower than retention is told', async () => {
    const topic = `slower-${form}`
    await produceNumbers(topic, 0, 3)
    const tail = await open(topic, 'from=earliest')
    await tail.upTo('up_to_date')
    // As if retention had run between the append and the tail's read of it: in one transaction.
    const id = await partitionId(server, topic)
    await server.database.query(
      `with appended as (
         select tailrace.append_batches($1, true, array[1, 1], array[12, 12], array[0, 0],
           array[true, true], convert_to(E'{"value":3}\\n{"value":4}\\n', 'UTF8')))
       update tailrace.log_starts set log_start_offset = 4
         from appended where partition_id = $1`,
      [id],
    )
    expect(await tail.next()).toMatchObject({ type: 'truncated', offset: 3, log_start_offset: 4 })
    expect(await tail.next()).toMatchObject({ type: 'record', record: { offset: 4, value: 4 } })
    await produceNumbers(topic, 5, 7)
    expect(valuesOf(await tail.upToRecords(2))).toEqual([5, 6])
  })
})
