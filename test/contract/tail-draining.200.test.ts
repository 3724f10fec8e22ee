import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic, patchTopic } from '../../src/client/index.ts'
import { ask } from '../support/answers.ts'
import { produce, recordLines } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { openTail, TAIL_FORMS, textsOf, type TailForm } from '../support/tail-reader.ts'
import type { TailMessage } from '../support/tail-texts.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

/** Another server over the same database. */
const startAnother = () => startTestServer({ DATABASE_URL: server.database.url })

const create = (name: string) => ask(server.url, createTopic, { body: { name, partitions: 2 } })
const send = (topic: string, values: readonly unknown[]) =>
  produce(
    server.url,
    topic,
    values.map((value, k) => ({ value: String(value), partition: k % 2 })),
  )

const texts = (messages: readonly TailMessage[]) =>
  textsOf(messages)
    .map(({ text }) => text)
    .sort()

async function logOf(topic: string): Promise<string[]> {
  const lines = [0, 1].map(async (partition) => {
    const head = `{"partition":${String(partition)},`
    return (await recordLines(server.url, topic, partition)).map((line) => head + line.slice(1))
  })
  return (await Promise.all(lines)).flat().sort()
}

describe.each(TAIL_FORMS)('a tail as %s on a server that stops', (form) => {
  it('says farewell with a position from which another server goes on exactly', async () => {
    const topic = `farewell-${form}`
    await create(topic)
    await send(topic, [1, 2, 3])
    const stopping = await startAnother()
    const first = await openTail(stopping.url, form, `/v1/topics/${topic}/tail?from=earliest`)
    const messages = await first.upTo('up_to_date')
    await send(topic, [4, 5])
    // What is produced while it stops is read here or there.
    const [rest] = await Promise.all([
      first.rest(),
      stopping.stop(),
      send(topic, [6, 7]).then(() => send(topic, [8, 9])),
    ])
    messages.push(...rest)
    const last = messages.at(-1) as { position: string }
    expect(last).toMatchObject({ type: 'draining', position: expect.any(String) })
    if (form === 'websocket') expect(first.closed).toEqual({ code: 1012, reason: 'draining' })
    const query = `from=${last.position}&until=latest`
    const second = await openTail(server.url, form, `/v1/topics/${topic}/tail?${query}`)
    const all = [...messages, ...(await second.rest())]
    expect(texts(all)).toEqual(await logOf(topic))
  })

  it('says farewell in the middle of history', async () => {
    const topic = `history-${form}`
    await create(topic)
    const values = Array.from({ length: 4000 }, (_, k) => `${String(k)} ${'x'.repeat(1000)}`)
    for (let k = 0; k < values.length; k += 1000) await send(topic, values.slice(k, k + 1000))
    const stopping = await startAnother()
    const path = `/v1/topics/${topic}/tail?from=earliest`
    const first = await openTail(stopping.url, form, path)
    const messages = await first.upToRecords(10)
    const [rest] = await Promise.all([first.rest(), stopping.stop()])
    messages.push(...rest)
    const last = messages.at(-1) as { position: string }
    expect(last).toMatchObject({ type: 'draining' })
    const query = `from=${last.position}&until=latest`
    const second = await openTail(server.url, form, `/v1/topics/${topic}/tail?${query}`)
    expect(texts([...messages, ...(await second.rest())])).toEqual(await logOf(topic))
  })

  it('with an end ahead, or no credit, says farewell too', async () => {
    const topic = `waiting-${form}`
    await create(topic)
    await send(topic, [1, 2, 3])
    const stopping = await startAnother()
    const tails = await Promise.all(
      ['max_records=5', 'from=-1&max_records=9', 'partitions=1', 'key=k', 'credit=0'].map((query) =>
        openTail(stopping.url, form, `/v1/topics/${topic}/tail?${query}`),
      ),
    )
    for (const tail of tails) await tail.next()
    await Promise.all([stopping.stop(), ...tails.map(expectFarewell)])
  })

  async function expectFarewell(tail: Awaited<ReturnType<typeof openTail>>): Promise<void> {
    expect((await tail.rest()).at(-1)).toMatchObject({ type: 'draining' })
    if (form === 'websocket') expect(tail.closed?.code).toBe(1012)
  }
})

describe('a position of one server', () => {
  it.each(TAIL_FORMS)(
    'is understood by another, which has not heard of the partition yet: %s',
    async (form: TailForm) => {
      const topic = `heard-${form}`
      await create(topic)
      const other = await startAnother()
      const path = `/v1/topics/${topic}/tail?`
      try {
        // What this server knows of the topic counts for a while.
        await openTail(other.url, form, path)
        await ask(server.url, patchTopic, { params: { topic }, body: { partitions: 3 } })
        const begin = await (await openTail(server.url, form, path)).next()
        expect(begin.position).toBe('0:0,1:0,2:0')
        const tail = await openTail(other.url, form, `${path}from=${String(begin.position)}`)
        expect(await tail.next()).toEqual(begin)
      } finally {
        await other.stop()
      }
    },
  )
})
