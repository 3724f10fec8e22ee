import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic } from '../../src/client/index.ts'
import { ask } from '../support/answers.ts'
import { produce } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import {
  openTail,
  outline,
  TAIL_FORMS,
  textsOf,
  valuesOf,
  type TailForm,
} from '../support/tail-reader.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

describe.each(TAIL_FORMS)('GET /v1/tail as %s', (form) => {
  /** Two topics of the test's own: one partition and two. */
  let tests = 0
  async function createTwo(): Promise<[string, string]> {
    const test = `${form}-${String(++tests)}`
    const names: [string, string] = [`a.${test}`, `b_${test}`]
    for (const [k, name] of names.entries()) {
      await ask(server.url, createTopic, { body: { name, partitions: k + 1 } })
    }
    return names
  }
  const open = (topics: readonly string[], query = '', headers = {}) =>
    openTail(server.url, form, `/v1/tail?topics=${topics.join(',')}&${query}`, headers)

  it('names the topic of each record, and topics in positions', async () => {
    const [a, b] = await createTwo()
    await produce(server.url, a, [{ value: 'a0' }])
    await produce(server.url, b, [{ value: 'b0', partition: 1 }])
    const tail = await open([a, b], 'from=earliest')
    expect(await tail.next()).toEqual({ type: 'begin', position: `${a}/0:0,${b}/0:0,${b}/1:0` })
    const history = await tail.upTo('up_to_date')
    expect(outline(history).sort()).toEqual([`${a}/0:0`, `${b}/1:0`, 'up_to_date'])
    expect(history.at(-1)).toMatchObject({ position: `${a}/0:1,${b}/0:0,${b}/1:1` })
    await produce(server.url, b, [{ value: 'b1', partition: 0 }])
    expect(await tail.next()).toMatchObject({
      type: 'record',
      record: { topic: b, partition: 0, offset: 0, value: 'b1' },
    })
    await produce(server.url, a, [{ value: 'a1' }])
    const next = await tail.next()
    expect(next).toMatchObject({ type: 'record', record: { topic: a, offset: 1, value: 'a1' } })
    if (form !== 'ndjson') {
      expect(next).toMatchObject({ position: `${a}/0:2,${b}/0:1,${b}/1:1` })
    }
  })

  it('begins at the end unless it is told otherwise', async () => {
    const [a, b] = await createTwo()
    await produce(server.url, a, [{ value: 'old' }])
    const tail = await open([b, a])
    expect(await tail.next()).toEqual({ type: 'begin', position: `${b}/0:0,${b}/1:0,${a}/0:1` })
  })

  it('of one topic names it all the same', async () => {
    const [a] = await createTwo()
    await produce(server.url, a, [{ value: 1 }])
    const messages = await (await open([a], 'from=earliest&until=latest')).rest()
    expect(messages[0]).toEqual({ type: 'begin', position: `${a}/0:0`, until: `${a}/0:1` })
    expect(textsOf(messages)[0]?.record.topic).toBe(a)
  })

  it('goes on from its position, in the query or as Last-Event-ID', async () => {
    const [a, b] = await createTwo()
    for (const topic of [a, b]) {
      await produce(
        server.url,
        topic,
        [1, 2, 3].map((value) => ({ value, partition: 0 })),
      )
    }
    const position = `${b}/0:1,${a}/0:2,${b}/1:0`
    const tails = [
      await open([a, b], `until=latest&from=${position}`),
      await open([a, b], 'until=latest&from=earliest', { 'last-event-id': position }),
    ]
    for (const tail of tails) {
      const found = outline(textsOf(await tail.rest()))
      expect(found.sort()).toEqual([`${a}/0:2`, `${b}/0:1`, `${b}/0:2`])
    }
  })

  it('filters by key, and ends by count and position, over all of them', async () => {
    const [a, b] = await createTwo()
    for (const topic of [a, b]) {
      await produce(
        server.url,
        topic,
        ['x', 'y', 'x', 'x'].map((key, value) => ({ key, value, partition: 0 })),
      )
    }
    const keyed = await open([a, b], 'from=earliest&until=latest&key=x')
    expect(valuesOf(await keyed.rest()).sort()).toEqual([0, 0, 2, 2, 3, 3])
    const counted = await (await open([a, b], 'from=earliest&max_records=5')).rest()
    expect(textsOf(counted)).toHaveLength(5)
    expect(counted.at(-1)).toMatchObject({ reason: 'max_records' })
    const bounded = await (await open([a, b], `from=earliest&until=${a}/0:1,${b}/0:2`)).rest()
    expect(outline(textsOf(bounded)).sort()).toEqual([`${a}/0:0`, `${b}/0:0`, `${b}/0:1`])
  })
})

// Names that look like parts of a position, or like the marks of anybody who cuts one.
describe.each([
  ['-1', 'x-1'],
  ['0-1-2', '-1-1'],
  ['NaN', 'undefined'],
  ['1e3', '0x-1.'],
  ['...', '--'],
  ['a'.repeat(249), `${'a'.repeat(247)}-1`],
])('topics named %s and %s', (...names) => {
  beforeAll(async () => {
    for (const name of names) await produce(server.url, name, [{ value: 1 }, { value: 2 }])
  })
  const open = (form: TailForm, query: string) =>
    openTail(server.url, form, `/v1/tail?topics=${names.join(',')}&${query}`)

  it.each(TAIL_FORMS)('have positions that can be given back, as %s', async (form) => {
    const messages = await (await open(form, 'from=earliest&max_records=4')).rest()
    expect(outline(textsOf(messages)).sort()).toEqual(
      names.flatMap((name) => [`${name}/0:0`, `${name}/0:1`]).sort(),
    )
    for (const { position } of messages) {
      if (position === undefined) continue
      const again = await open(form, `until=latest&from=${position}`)
      expect(await again.next()).toMatchObject({ type: 'begin', position })
    }
  })
})
