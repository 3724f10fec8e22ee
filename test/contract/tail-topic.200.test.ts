import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic } from '../../src/client/index.ts'
import { ask } from '../support/answers.ts'
import { produce } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { openTail, outline, TAIL_FORMS, textsOf, valuesOf } from '../support/tail-reader.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

let topics = 0
/** A topic of the test's own. */
async function create(partitions = 1): Promise<string> {
  const name = `topic-${String(++topics)}`
  await ask(server.url, createTopic, { body: { name, partitions } })
  return name
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, k) => ({ value: from + k }))

describe.each(TAIL_FORMS)('GET /v1/topics/{topic}/tail as %s', (form) => {
  const open = (topic: string, query = '') =>
    openTail(server.url, form, `/v1/topics/${topic}/tail?${query}`)

  it('says where it begins, gives history, says that it is up to date, then what comes', async () => {
    const topic = await create()
    await produce(server.url, topic, numbers(0, 3))
    const tail = await open(topic, 'from=earliest')
    expect(await tail.next()).toEqual({ type: 'begin', position: '0:0' })
    expect(await tail.records(3)).toEqual(
      [0, 1, 2].map((offset) => ({
        partition: 0,
        offset,
        timestamp: expect.any(Number),
        value: offset,
      })),
    )
    expect(await tail.next()).toEqual({ type: 'up_to_date', position: '0:3' })
    for (let value = 3; value < 6; value++) {
      await produce(server.url, topic, [{ value }])
      expect(await tail.next()).toMatchObject({ type: 'record', record: { offset: value, value } })
    }
  })

  it('begins at the end unless it is told otherwise', async () => {
    const topic = await create(2)
    await produce(server.url, topic, [{ value: 'old', partition: 1 }])
    const tail = await open(topic)
    expect(await tail.next()).toEqual({ type: 'begin', position: '0:0,1:1' })
    expect(await tail.next()).toEqual({ type: 'up_to_date', position: '0:0,1:1' })
    await produce(server.url, topic, [{ value: 'new', partition: 1 }])
    expect(await tail.next()).toMatchObject({ record: { partition: 1, offset: 1, value: 'new' } })
  })

  it('of an empty topic is up to date at once', async () => {
    const topic = await create(3)
    for (const from of ['earliest', 'latest', '-5', '0', '2026-11-21T09:00:00Z', '2:0']) {
      const tail = await open(topic, `from=${from}`)
      const position = '0:0,1:0,2:0'
      expect(await tail.next()).toEqual({ type: 'begin', position })
      expect(await tail.next()).toEqual({ type: 'up_to_date', position })
    }
  })

  it('gives records with key and headers as they were sent', async () => {
    const topic = await create()
    const sent = { key: 'k', headers: { trace: '1' }, timestamp: 1795252974170, value: { a: [1] } }
    await produce(server.url, topic, [sent, { key: null, value_base64: '/w==' }])
    const tail = await open(topic, 'from=earliest')
    expect(await tail.records(2)).toEqual([
      { partition: 0, offset: 0, ...sent },
      { partition: 0, offset: 1, timestamp: expect.any(Number), key: null, value_base64: '/w==' },
    ])
  })

  it('is followed by any number of readers, each at its own place', async () => {
    const topic = await create()
    await produce(server.url, topic, numbers(0, 10))
    const tails = await Promise.all([0, 3, 9, 10].map((offset) => open(topic, `from=0:${offset}`)))
    await produce(server.url, topic, numbers(10, 12))
    for (const [k, offset] of [0, 3, 9, 10].entries()) {
      const records = await tails[k]!.records(12 - offset)
      expect(records.map(({ value }) => value)).toEqual(
        numbers(offset, 12).map(({ value }) => value),
      )
    }
  })

  describe('until', () => {
    it('latest ends where the log ends now, and says so', async () => {
      const topic = await create(2)
      await produce(server.url, topic, [
        { value: 1, partition: 0 },
        { value: 2, partition: 1 },
        { value: 3, partition: 1 },
      ])
      const tail = await open(topic, 'from=earliest&until=latest')
      const messages = await tail.rest()
      expect(messages[0]).toEqual({ type: 'begin', position: '0:0,1:0', until: '0:1,1:2' })
      expect(outline(messages.slice(1, -1)).sort()).toEqual(['0:0', '1:0', '1:1'])
      expect(messages.at(-1)).toEqual({ type: 'end', reason: 'until', position: '0:1,1:2' })
      expect(tail.closed).toEqual(form === 'websocket' ? { code: 1000, reason: 'end' } : undefined)
    })

    it('is meant as it was when the tail began', async () => {
      const topic = await create()
      await produce(server.url, topic, numbers(0, 2))
      const first = await open(topic, 'from=earliest&until=latest')
      await first.next()
      await produce(server.url, topic, numbers(2, 4))
      expect(outline(await first.rest())).toEqual(['0:0', '0:1', 'end'])
    })

    it('a position reads no partition further, and those it does not name not at all', async () => {
      const topic = await create(3)
      await produce(
        server.url,
        topic,
        [0, 0, 0, 1, 1, 2].map((partition) => ({ value: 0, partition })),
      )
      const tail = await open(topic, 'from=earliest&until=0:2,1:1')
      const messages = await tail.rest()
      expect(messages[0]).toMatchObject({ type: 'begin', until: '0:2,1:1,2:0' })
      expect(outline(messages.slice(1, -1)).sort()).toEqual(['0:0', '0:1', '1:0'])
      expect(messages.at(-1)).toEqual({ type: 'end', reason: 'until', position: '0:2,1:1,2:0' })
    })

    it('a time ends before the first record that is as young', async () => {
      const topic = await create()
      await produce(
        server.url,
        topic,
        [1000, 2000, 3000, 4000].map((timestamp) => ({ timestamp, value: timestamp })),
      )
      const tails = ['3000', '1970-01-01T00:00:03Z', '2001'].map((time) =>
        open(topic, `from=earliest&until=${time}`),
      )
      for (const tail of await Promise.all(tails)) {
        expect(valuesOf(await tail.rest())).toEqual([1000, 2000])
      }
    })

    it('ends at once where there is nothing before it', async () => {
      const topic = await create()
      await produce(server.url, topic, numbers(0, 5))
      for (const query of ['until=latest', 'from=latest&until=0:3', 'from=0:2&until=0']) {
        const messages = await (await open(topic, query)).rest()
        expect(outline(messages)).toEqual(['begin', 'end'])
        expect(messages[1]).toMatchObject({ reason: 'until' })
      }
    })
  })

  describe('max_records', () => {
    it('ends after as many, in the middle of a batch too', async () => {
      const topic = await create()
      await produce(server.url, topic, numbers(0, 10))
      const tail = await open(topic, 'from=earliest&max_records=4')
      const messages = await tail.rest()
      expect(valuesOf(messages)).toEqual([0, 1, 2, 3])
      expect(messages.at(-1)).toEqual({ type: 'end', reason: 'max_records', position: '0:4' })
      expect(tail.closed).toEqual(form === 'websocket' ? { code: 1000, reason: 'end' } : undefined)
    })

    it('counts what comes live', async () => {
      const topic = await create()
      await produce(server.url, topic, numbers(0, 2))
      const tail = await open(topic, 'from=-1&max_records=3')
      expect(outline(await tail.upTo('up_to_date'))).toEqual(['begin', '0:1', 'up_to_date'])
      await produce(server.url, topic, numbers(2, 6))
      expect(outline(await tail.rest())).toEqual(['0:2', '0:3', 'end'])
    })

    it('goes over several partitions', async () => {
      const topic = await create(3)
      for (let n = 0; n < 4; n++) {
        await produce(
          server.url,
          topic,
          [0, 1, 2].map((partition) => ({ value: n, partition })),
        )
      }
      const messages = await (await open(topic, 'from=earliest&max_records=7')).rest()
      expect(textsOf(messages)).toHaveLength(7)
      const { position } = messages.at(-1) as { position: string }
      const next = position.split(',').map((place) => Number(place.split(':')[1]))
      expect(next.reduce((sum, offset) => sum + offset)).toBe(7)
    })
  })
})
