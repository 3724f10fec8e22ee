import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { partitionId } from '../support/log-start.ts'
import { produce } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { openTail, outline, TAIL_FORMS } from '../support/tail-reader.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

/** One batch of one record, wherever it is told to be: a log as only a damaged database can hold it. */
async function insertBatch(topic: string, offset: number): Promise<void> {
  await server.database.query(
    `insert into tailrace.batches
       (partition_id, base_offset, next_offset, appended_at, max_timestamp, prefix_max_timestamp, payload)
     values ($1, $2::bigint, $2::bigint + 1, now(), 0, 0, convert_to(E'{"value":"lost"}\\n', 'UTF8'))`,
    [await partitionId(server, topic), offset],
  )
}

describe.each(TAIL_FORMS)('a tail as %s of a log with a gap', (form) => {
  const open = (topic: string) =>
    openTail(server.url, form, `/v1/topics/${topic}/tail?from=earliest`)

  it('says that it cannot go on, with the position before it: in history', async () => {
    const topic = `history-${form}`
    await produce(server.url, topic, [{ value: 1 }])
    await insertBatch(topic, 5)
    const messages = await (await open(topic)).rest()
    expect(outline(messages)).toEqual(['begin', 'problem'])
    expect(messages[1]).toMatchObject({ code: 'internal_error', status: 500, position: '0:0' })
  })

  it('says that it cannot go on, with the position before it: live', async () => {
    const topic = `live-${form}`
    await produce(server.url, topic, [{ value: 1 }])
    const tail = await open(topic)
    await tail.upTo('up_to_date')
    await insertBatch(topic, 5)
    const messages = await tail.rest()
    expect(outline(messages)).toEqual(['problem'])
    expect(messages[0]).toMatchObject({ code: 'internal_error', status: 500, position: '0:1' })
    if (form === 'websocket') expect(tail.closed).toEqual({ code: 1011, reason: 'internal_error' })
  })
})
