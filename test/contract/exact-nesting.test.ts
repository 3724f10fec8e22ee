import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LIMITS } from '../../src/contract/limits.ts'
import { expectProblem } from '../support/answers.ts'
import { highWatermarks } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await supertest(server.url).post('/v1/topics').send({ name: 'deep' }).expect(201)
})
afterAll(() => server.stop())

const arrays = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
const objects = (depth: number) => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth)

const RECORDS = '/v1/topics/deep/records'
describe.each([
  [
    'envelope',
    RECORDS,
    'application/json',
    (v: string) => `{"records":[{"value":${v}}]}`,
    '/records/0',
  ],
  ['NDJSON', RECORDS, 'application/x-ndjson', (v: string) => `{"value":${v}}`, '/0'],
  ['short door', '/t/deep', 'application/json', (v: string) => v, ''],
  ['short door with NDJSON', '/t/deep', 'application/x-ndjson', (v: string) => v, '/0'],
])('a deep value by %s', (_, path, type, around, pointer) => {
  const post = (value: string) =>
    supertest(server.url).post(path).set('content-type', type).send(around(value))

  it.each([
    ['lists', arrays],
    ['objects', objects],
  ])('of %s: 512 levels come back as they were', async (_, nest) => {
    const value = nest(LIMITS.json_depth)
    const offset = (await highWatermarks(server.url, 'deep'))[0]
    await post(value).expect(200)
    const { text } = await supertest(server.url)
      .get(`/v1/topics/deep/partitions/0/records?offset=${String(offset)}`)
      .expect(200)
    expect(text).toContain(`,"value":${value}}],"next_offset"`)
  })

  it.each([
    ['lists', arrays],
    ['objects', objects],
  ])('of %s: 513 levels are refused', async (_, nest) => {
    const before = await highWatermarks(server.url, 'deep')
    for (const depth of [LIMITS.json_depth + 1, 100_000]) {
      const answer = await post(nest(depth))
      const problem = await expectProblem(answer, 'invalid_request', { pointer, written: 'no' })
      expect(problem.detail).toContain('512')
    }
    expect(await highWatermarks(server.url, 'deep')).toEqual(before)
  })
})

describe('a deep body by curl -d', () => {
  it('is text past the bound, as anything that is not JSON is', async () => {
    await supertest(server.url).post('/t/text').type('form').send(arrays(513)).expect(200)
    const { text } = await supertest(server.url).get('/t/text?until=latest').expect(200)
    expect(text).toContain(`"value":"${arrays(513)}"`)
  })
})
