import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fetchRecords, readTopic, send } from '../../src/client/index.ts'
import { ask, expectProblem } from '../support/answers.ts'
import { moveLogStart } from '../support/log-start.ts'
import { highWatermarks, produce, storedRecords } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  // The log begins at 3, inside its first batch, and ends before 8.
  await produce(
    server.url,
    'log',
    [0, 1, 2, 3, 4].map((value) => ({ value })),
  )
  await produce(
    server.url,
    'log',
    [5, 6, 7].map((value) => ({ value })),
  )
  await moveLogStart(server, 'log', 3)
  // All of this one is gone.
  await produce(server.url, 'gone', [{ value: 0 }, { value: 1 }])
  await moveLogStart(server, 'gone', 2)
})
afterAll(() => server.stop())

const LOG = '/v1/topics/log/partitions/0/records'

describe('an offset outside the log', () => {
  it.each([
    ['before the log start', `${LOG}?offset=0`],
    ['just before the log start', `${LOG}?offset=2`],
    ['past the end', `${LOG}?offset=9`],
    ['far past the end', `${LOG}?offset=9007199254740991`],
    ['past the end, with time to wait', `${LOG}?offset=9&max_wait_ms=60000`],
    ['one record before the log start', `${LOG}/2`],
    ['one record at the end', `${LOG}/8`],
    ['one record past the end', `${LOG}/9`],
  ])('%s: the answer names the earliest and the latest', async (_, path) => {
    const answer = await supertest(server.url).get(path)
    const problem = await expectProblem(answer, 'offset_out_of_range')
    expect(problem).toMatchObject({ log_start_offset: 3, high_watermark: 8 })
    expect(problem.hint).toContain('from=earliest')
  })

  it('as NDJSON is a problem all the same', async () => {
    const answer = await supertest(server.url)
      .get(`${LOG}?offset=0`)
      .set('accept', 'application/x-ndjson')
    await expectProblem(answer, 'offset_out_of_range')
  })
})

describe('the bounds themselves', () => {
  it('are inside: what the problem names works', async () => {
    const params = { topic: 'log', partition: 0 }
    for (const query of [{ offset: 3 }, { from: 'earliest' }, {}]) {
      const page = await ask(server.url, fetchRecords, { params, query })
      expect(page.records.map(({ value }) => value)).toEqual([3, 4, 5, 6, 7])
      expect(page.log_start_offset).toBe(3)
    }
    for (const query of [{ offset: 8 }, { from: 'latest' }]) {
      const page = await ask(server.url, fetchRecords, { params, query })
      expect(page).toMatchObject({ records: [], next_offset: 8 })
    }
  })

  it('hold for GET /t/{topic}, which begins where the log does', async () => {
    const response = await send(server.url, readTopic, {
      params: { topic: 'log' },
      query: { until: 'latest' },
    })
    const lines = (await response.text()).trimEnd().split('\n')
    expect(lines.map((line) => (JSON.parse(line) as { offset: number }).offset)).toEqual([
      3, 4, 5, 6, 7,
    ])
  })

  it('of an emptied log are one, and it goes on from there', async () => {
    const params = { topic: 'gone', partition: 0 }
    const empty = await ask(server.url, fetchRecords, { params })
    expect(empty).toMatchObject({ records: [], next_offset: 2, log_start_offset: 2 })
    const { offsets } = await produce(server.url, 'gone', [{ value: 2 }])
    expect(offsets[0]!.base_offset).toBe(2)
    expect(await storedRecords(server.url, 'gone')).toEqual(['{"value":2}'])
    expect(await highWatermarks(server.url, 'gone')).toEqual([3])
  })
})
