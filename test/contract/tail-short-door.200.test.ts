import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic, deleteTopic } from '../../src/client/index.ts'
import { ask, expectProblem } from '../support/answers.ts'
import { moveLogStart } from '../support/log-start.ts'
import { produce, topicNames } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { openTail, outline, textsOf, valuesOf } from '../support/tail-reader.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

const open = (path: string, headers = {}) => openTail(server.url, 'ndjson', `/t/${path}`, headers)

describe('GET /t/{topic}', () => {
  it('begins at the beginning, says nothing but records, and goes on live', async () => {
    await produce(server.url, 'log', [{ value: 1 }, { value: 2 }])
    const tail = await open('log')
    expect(outline(await tail.upToRecords(2))).toEqual(['0:0', '0:1'])
    for (let value = 3; value < 6; value++) {
      await produce(server.url, 'log', [{ value }])
      expect(await tail.next()).toMatchObject({ type: 'record', record: { value } })
    }
  })

  it('of an empty topic is answered at once, and waits', async () => {
    await ask(server.url, createTopic, { body: { name: 'empty' } })
    const tail = await open('empty')
    expect(tail.response?.headers).toMatchObject({
      'content-type': 'application/x-ndjson; charset=utf-8',
      link: '</v1/topics/empty>; rel="describedby"',
      'cache-control': 'no-cache, no-transform',
    })
    await produce(server.url, 'empty', [{ value: 'first' }])
    expect(await tail.next()).toMatchObject({ record: { offset: 0, value: 'first' } })
  })

  it('writes a record as it is, one a line', async () => {
    await produce(server.url, 'lines', [{ key: 'k', timestamp: 5, value: { a: '\u2028' } }])
    const [line] = textsOf([await (await open('lines')).next()])
    expect(line?.text).toBe(
      '{"partition":0,"offset":0,"timestamp":5,"key":"k","value":{"a":"\u2028"}}',
    )
  })

  it.each([
    ['until=latest', [0, 1, 2, 3]],
    ['from=-1&until=latest', [3]],
    ['from=0:2&until=0:3', [2]],
    ['max_records=3', [0, 1, 2]],
    ['from=latest&until=latest', []],
    ['key=odd&until=latest', [1, 3]],
    ['partitions=0&until=latest', [0, 1, 2, 3]],
  ])('?%s ends without a word', async (query, values) => {
    const topic = `ended-${query.replaceAll(/[^a-z0-9]/g, '-')}`
    const records = [0, 1, 2, 3].map((value) => ({ key: value % 2 ? 'odd' : 'even', value }))
    await produce(server.url, topic, records)
    const messages = await (await open(`${topic}?${query}`)).rest()
    expect(messages.map(({ type }) => type)).toEqual(values.map(() => 'record'))
    expect(valuesOf(messages)).toEqual(values)
  })

  it('says what its reader should know: that records are missing, that the topic is gone', async () => {
    await produce(
      server.url,
      'told',
      [1, 2, 3].map((value) => ({ value })),
    )
    await moveLogStart(server, 'told', 2)
    const tail = await open('told?from=0:0')
    expect(outline(await tail.upToRecords(1))).toEqual(['truncated', '0:2'])
    await ask(server.url, deleteTopic, { params: { topic: 'told' } })
    expect(outline(await tail.rest())).toEqual(['topic_deleted'])
  })

  it.each([
    '*/*',
    'text/plain',
    'application/x-ndjson',
    'application/jsonl;q=0.5',
    'text/html, */*',
  ])('answers those who accept %s', async (accept) => {
    await produce(server.url, 'accepted', [{ value: 1 }])
    const tail = await open('accepted', { accept })
    expect(await tail.next()).toMatchObject({ type: 'record' })
  })

  it.each(['text/event-stream', 'application/json', 'image/png'])(
    'has nothing for those who accept only %s',
    async (accept) => {
      await produce(server.url, 'refused', [{ value: 1 }])
      const answer = await supertest(server.url).get('/t/refused').set('accept', accept)
      await expectProblem(answer, 'not_acceptable')
    },
  )

  it('of no topic is a 404, and makes none', async () => {
    const problem = await expectProblem(
      await supertest(server.url).get('/t/missing'),
      'unknown_topic_or_partition',
    )
    expect(problem.hint).toContain('/t/missing')
    expect(await topicNames(server.url)).not.toContain('missing')
  })
})
