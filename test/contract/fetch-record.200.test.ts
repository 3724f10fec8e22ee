import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fetchRecord, send } from '../../src/client/index.ts'
import { ask, expectProblem } from '../support/answers.ts'
import { postRecords, produce } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

/** Stores a record and asks for its value alone. */
async function valueOf(record: string): Promise<Response> {
  const { body } = await postRecords(server.url, 'values', `{"records":[${record}]}`).expect(200)
  const { offsets } = body as { offsets: { base_offset: number }[] }
  return send(server.url, fetchRecord, {
    params: { topic: 'values', partition: 0, offset: offsets[0]!.base_offset },
    headers: { accept: 'application/octet-stream' },
  })
}

describe('GET /v1/topics/{topic}/partitions/{p}/records/{offset}', () => {
  it('is that record, from anywhere in a batch', async () => {
    const records = [{ key: 'a', value: 0 }, { value: [1], headers: { h: 'v' } }, { value: null }]
    await produce(server.url, 'log', records)
    await produce(server.url, 'log', [{ value: 'next batch' }])
    for (const [offset, record] of [...records, { value: 'next batch' }].entries()) {
      const params = { topic: 'log', partition: 0, offset }
      const fetched = await ask(server.url, fetchRecord, { params })
      expect(fetched).toEqual({ offset, timestamp: expect.any(Number), ...record })
    }
  })

  it('is JSON unless bytes are asked for', async () => {
    await produce(server.url, 'types', [{ value: 'v' }])
    const path = '/v1/topics/types/partitions/0/records/0'
    for (const [accept, type] of [
      ['*/*', 'application/json; charset=utf-8'],
      ['application/*', 'application/json; charset=utf-8'],
      ['application/octet-stream;q=0.5, application/json', 'application/json; charset=utf-8'],
      ['application/octet-stream, */*;q=0.5', 'application/octet-stream'],
    ]) {
      const { headers } = await supertest(server.url).get(path).set('accept', accept!).expect(200)
      expect(headers['content-type'], accept).toBe(type)
    }
  })
})

describe('its value as application/octet-stream', () => {
  it.each([
    ['bytes as they were sent', '{"value_base64":"AP8K"}', '00ff0a'],
    ['no bytes', '{"value_base64":""}', ''],
    ['the text of a string', '{"value":"é\\n\\u00e9"}', 'c3a90ac3a9'],
    ['an empty string', '{"value":""}', ''],
    ['a whole surrogate pair', '{"value":"\\ud83d\\ude00"}', 'f09f9880'],
    ['a NUL', '{"value":"\\u0000"}', '00'],
    ['a number as its text', '{"value":1.0}', '312e30'],
    ['an object as its text', '{"value":{ "b":1,"a":"\\ud800" }}', Buffer.from('{ "b":1,"a":"\\ud800" }').toString('hex')], // prettier-ignore
    ['an object with a member called value', '{"key":"k","value":{"value":"x"}}', Buffer.from('{"value":"x"}').toString('hex')], // prettier-ignore
    ['false', '{"value":false}', Buffer.from('false').toString('hex')],
  ])('%s', async (_, record, hex) => {
    const response = await valueOf(record)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/octet-stream')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(Buffer.from(await response.arrayBuffer()).toString('hex')).toBe(hex)
  })

  it('null is 204', async () => {
    const response = await valueOf('{"value": null}')
    expect(response.status).toBe(204)
    expect(await response.text()).toBe('')
  })

  it.each(['{"value":"\\ud800"}', '{"value":"a\\udc00b"}', '{"value":"\\ude00\\ud83d"}'])(
    'half a surrogate pair has none: 406 for %s',
    async (record) => {
      const problem = await expectProblem(await valueOf(record), 'not_acceptable')
      expect(problem.hint).toContain('application/json')
    },
  )
})
