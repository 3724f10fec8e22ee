import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic } from '../../src/client/index.ts'
import { ask } from '../support/answers.ts'
import { highWatermarks, produce } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { positionsAfter } from '../support/tail-positions.ts'
import { openTail, outline, TAIL_FORMS, textsOf, type TailForm } from '../support/tail-reader.ts'

/** Partitions of each request; what one request has for a partition is stored as one batch. */
const REQUESTS = [[0, 0, 1, 2, 0], [1], [2, 2, 1], [0], [1, 1, 1, 2]]

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  for (const name of ['log', 'other']) {
    await ask(server.url, createTopic, { body: { name, partitions: 3 } })
    for (const partitions of REQUESTS) {
      const records = partitions.map((partition) => ({ partition, value: `${name} é` }))
      await produce(server.url, name, records)
    }
  }
})
afterAll(() => server.stop())

const ONE = '/v1/topics/log/tail?'
const TWO = '/v1/tail?topics=log,other&'

/** Places of all records, as the log has them. */
async function placesOf(path: string): Promise<string[]> {
  const names = path === ONE ? ['log'] : ['log', 'other']
  const ends = await Promise.all(names.map((name) => highWatermarks(server.url, name)))
  return names.flatMap((name, n) =>
    ends[n]!.flatMap((end, partition) => {
      const place = (path === ONE ? '' : `${name}/`) + String(partition)
      return Array.from({ length: end }, (_, offset) => `${place}:${String(offset)}`)
    }),
  )
}

/** Those from a position on. */
function placesFrom(places: readonly string[], position: string): string[] {
  const from = new Map(position.split(',').map((entry) => entry.split(':') as [string, string]))
  return places.filter((place) => {
    const [partition = '', offset] = place.split(':')
    return Number(offset) >= Number(from.get(partition))
  })
}

async function rest(form: TailForm, path: string, position: string): Promise<string[]> {
  const byHeader = form === 'sse'
  const query = byHeader ? 'from=earliest' : `from=${position}`
  const headers: Record<string, string> = byHeader ? { 'last-event-id': position } : {}
  const tail = await openTail(server.url, form, `${path}${query}&until=latest`, headers)
  const messages = await tail.rest()
  expect(messages[0]).toMatchObject({ type: 'begin', position })
  const places = outline(textsOf(messages))
  for (const partition of new Set(places.map((place) => place.split(':')[0]!))) {
    const offsets = places
      .filter((place) => place.startsWith(`${partition}:`))
      .map((place) => Number(place.split(':')[1]))
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b))
  }
  return places.sort()
}

describe.each([
  ['one topic', ONE],
  ['several topics', TWO],
])('every position of a tail of %s', (_, path) => {
  it.each(TAIL_FORMS)('as %s gives exactly the rest, in any form', async (form) => {
    const first = await openTail(server.url, form, `${path}from=earliest`)
    const messages = await first.upTo('up_to_date')
    const positions = new Set(positionsAfter(messages))
    expect(positions.size).toBe(textsOf(messages).length + 1)
    const places = await placesOf(path)
    for (const position of positions) {
      const expected = placesFrom(places, position).sort()
      for (const other of TAIL_FORMS) {
        expect(await rest(other, path, position), position).toEqual(expected)
      }
    }
  })

  it.each(TAIL_FORMS)('as %s is right in live records too', async (form) => {
    const first = await openTail(server.url, form, `${path}from=latest`)
    const messages = await first.upTo('up_to_date')
    const names = path === ONE ? ['log'] : ['log', 'other']
    for (const name of names) {
      await produce(
        server.url,
        name,
        [0, 2, 2].map((partition) => ({ partition, value: 1 })),
      )
    }
    messages.push(...(await first.upToRecords(3 * names.length)))
    const again = await openTail(server.url, form, `${path}from=-1`)
    // The first message of the next tail says where the log is, so the last position must be there.
    const { position } = (await again.upTo('up_to_date')).at(-1) as { position: string }
    expect(positionsAfter(messages).at(-1)).toBe(position)
  })
})
