import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { produceBody, produceRecords, send } from '../../src/client/index.ts'
import { expectProblem } from '../support/answers.ts'
import { postRecords, topicNames } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

const BODY = '{"records":[{"value":1}]}'

describe('a content type that records do not come in', () => {
  it.each([
    'application/x-www-form-urlencoded',
    'text/plain',
    'text/json',
    'application/jsonx',
    'application/octet-stream',
    'multipart/form-data; boundary=x',
    'nonsense',
    '/',
    ';charset=utf-8',
  ])('%s', async (type) => {
    const answer = await postRecords(server.url, 'log', BODY, type)
    const problem = await expectProblem(answer, 'unsupported_media_type', {
      written: 'no',
    })
    expect(problem.hint).toContain('application/json')
  })

  it('none at all', async () => {
    const body = Buffer.from(BODY)
    const response = await send(server.url, produceRecords, { params: { topic: 'log' }, body })
    await expectProblem(response, 'unsupported_media_type', { written: 'no' })
  })
})

describe('a content encoding that is not known', () => {
  it.each(['br', 'zstd', 'gzip, gzip', 'nonsense'])('%s', async (encoding) => {
    const headers = { 'content-type': 'application/json', 'content-encoding': encoding }
    for (const route of [produceRecords, produceBody]) {
      const body = Buffer.from(BODY)
      const response = await send(server.url, route, { params: { topic: 'log' }, headers, body })
      const problem = await expectProblem(response, 'unsupported_media_type', {
        written: 'no',
      })
      expect(problem.hint).toContain('gzip')
    }
  })
})

describe('the header at fault', () => {
  it.each([
    ['/content-type', { 'content-type': 'text/plain' }],
    ['/content-encoding', { 'content-type': 'application/json', 'content-encoding': 'br' }],
  ])('is named: %s', async (pointer, headers) => {
    const body = Buffer.from(BODY)
    const response = await send(server.url, produceRecords, {
      params: { topic: 'log' },
      headers,
      body,
    })
    await expectProblem(response, 'unsupported_media_type', { in: 'header', pointer })
  })
})

describe('after all of this', () => {
  it('there is no topic', async () => {
    expect(await topicNames(server.url)).toEqual([])
  })
})
