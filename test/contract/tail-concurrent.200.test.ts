import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic } from '../../src/client/index.ts'
import { ask } from '../support/answers.ts'
import { produce, recordLines } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { positionsAfter } from '../support/tail-positions.ts'
import { openTail, TAIL_FORMS, textsOf, type TailForm } from '../support/tail-reader.ts'
import type { TailMessage } from '../support/tail-texts.ts'

const PARTITIONS = [0, 1, 2]
const PRODUCERS = 6
const REQUESTS = 30
const LAST = 'last'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

/** Several hundred records by several producers at once; `began` is called once in a while. */
async function produceAll(topics: readonly string[], began: () => void): Promise<void> {
  const producers = Array.from({ length: PRODUCERS }, async (_, producer) => {
    for (let request = 0; request < REQUESTS; request++) {
      const records = Array.from({ length: 1 + (request % 5) }, (_, k) => ({
        partition: (producer + request + k) % PARTITIONS.length,
        value: `${String(producer)} ${String(request)} ${String(k)}`,
      }))
      await produce(server.url, topics[request % topics.length]!, records)
      if (producer === 0) began()
    }
  })
  await Promise.all(producers)
  for (const topic of topics) {
    await produce(
      server.url,
      topic,
      PARTITIONS.map((partition) => ({ partition, value: LAST })),
    )
  }
}

/** Reads until the last record of each partition of each topic has come. */
async function read(form: TailForm, path: string, partitions: number): Promise<TailMessage[]> {
  const tail = await openTail(server.url, form, path)
  const messages: TailMessage[] = []
  for (let left = partitions; left > 0;) {
    const message = await tail.next()
    messages.push(message)
    if (message.type === 'record' && message.record.value === LAST) left--
  }
  return messages
}

/** From where it began, the tail has what the log has: each record once, and in order. */
async function expectTheLog(messages: readonly TailMessage[], topic: string): Promise<void> {
  const [begin = ''] = positionsAfter(messages)
  const prefix = begin.includes('/') ? `${topic}/` : ''
  for (const partition of PARTITIONS) {
    const place = `${prefix}${String(partition)}:`
    const from = begin.split(',').find((entry) => entry.startsWith(place))!
    const lines = (await recordLines(server.url, topic, partition)).slice(
      Number(from.slice(place.length)),
    )
    const found = textsOf(messages).filter(
      ({ record }) => record.partition === partition && (record.topic ?? topic) === topic,
    )
    expect(found.map(({ text }) => text.replace(/^\{.*?"partition":\d+,/, '{'))).toEqual(lines)
  }
}

describe('tails that begin while records are produced', () => {
  it.each([
    ['one topic', ['busy']],
    ['several topics', ['busy-a', 'busy-b']],
  ])(
    'have each record once and in order: %s, in all forms',
    async (_, topics) => {
      for (const name of topics) {
        await ask(server.url, createTopic, { body: { name, partitions: PARTITIONS.length } })
      }
      const path =
        topics.length === 1 ? '/v1/topics/busy/tail?' : `/v1/tail?topics=${topics.join()}&`
      const tails: Promise<TailMessage[]>[] = []
      const begin = () => {
        const form = TAIL_FORMS[tails.length % TAIL_FORMS.length]!
        const from = ['earliest', 'latest', '-7', '0'][tails.length % 4]!
        tails.push(read(form, `${path}from=${from}`, PARTITIONS.length * topics.length))
      }
      while (tails.length < TAIL_FORMS.length) begin()
      await produceAll(topics, begin)
      const all = await Promise.all(tails)
      expect(all.length).toBeGreaterThan(REQUESTS)
      for (const messages of all) for (const topic of topics) await expectTheLog(messages, topic)
    },
    60_000,
  )
})
