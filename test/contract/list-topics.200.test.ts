import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic, listTopics } from '../../src/client/index.ts'
import { ask, expectAnswer } from '../support/answers.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

const NAMES = ['a', 'a.b', 'app-1', 'app-10', 'app-2', 'app_x', 'apple', 'b', 'orders', 'z']

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  for (const name of NAMES.toReversed()) {
    await ask(server.url, createTopic, { body: { name, partitions: name === 'b' ? 3 : 1 } })
  }
})
afterAll(() => server.stop())

/** Follows `next` to the end: the names on each page. */
async function pagesFrom(path: string): Promise<string[][]> {
  const pages = []
  for (let next: string | null = path; next !== null;) {
    const answer = await supertest(server.url).get(next)
    const page = await expectAnswer(listTopics, answer)
    // The Link header says the same, where there is more.
    const link = answer.headers['link']
    expect(link).toBe(page.next === null ? undefined : `<${page.next}>; rel="next"`)
    pages.push(page.topics.map(({ name }) => name))
    next = page.next
  }
  return pages
}

describe('GET /v1/topics', () => {
  it('lists all by name, without their offsets', async () => {
    const page = await ask(server.url, listTopics)
    expect(page.next).toBeNull()
    expect(page.topics.map(({ name }) => name).sort()).toEqual(NAMES)
    expect(page.topics.find(({ name }) => name === 'b')).toEqual({
      name: 'b',
      partitions: 3,
      config: { max_record_bytes: 1_048_576 },
      created_at: expect.any(String),
    })
  })

  it('in the order of their bytes, whatever the locale of the database', async () => {
    for (const name of ['B', 'Z', '_', '-']) await ask(server.url, createTopic, { body: { name } })
    const names = (await ask(server.url, listTopics)).topics.map(({ name }) => name)
    expect(names).toEqual([...NAMES, 'B', 'Z', '_', '-'].sort())
  })

  it.each([1, 2, 3, 13, 14, 1000])('by pages of %i each comes once', async (limit) => {
    const all = (await pagesFrom('/v1/topics')).flat()
    const pages = await pagesFrom(`/v1/topics?limit=${String(limit)}`)
    expect(pages.flat()).toEqual(all)
    expect(pages).toHaveLength(Math.ceil(all.length / limit))
  })

  it.each([
    ['app', ['app-1', 'app-10', 'app-2', 'app_x', 'apple']],
    ['app-', ['app-1', 'app-10', 'app-2']],
    ['app_', ['app_x']],
    ['app%25', []],
    ['a.', ['a.b']],
    ['missing', []],
  ])('prefix=%s', async (prefix, names) => {
    expect((await pagesFrom(`/v1/topics?prefix=${prefix}`)).flat()).toEqual(names)
    expect((await pagesFrom(`/v1/topics?prefix=${prefix}&limit=1`)).flat()).toEqual(names)
  })

  it.each([
    ['after=app-10', 'app-2'],
    ['after=app-11', 'app-2'],
    ['after=orders', 'z'],
    ['after=app&prefix=apple', 'apple'],
  ])('%s', async (query, first) => {
    const [page] = await pagesFrom(`/v1/topics?${query}`)
    expect(page![0]).toBe(first)
  })

  it('after the last is an empty page', async () => {
    expect(await pagesFrom('/v1/topics?after=zzz')).toEqual([[]])
  })
})
