import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { produceRecords } from '../../src/client/index.ts'
import { expectAnswer } from '../support/answers.ts'
import { postRecords, storedRecords } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

const TWO = ['{"key":"a","value":1}', '{"value":{"b":2}}']

describe('POST /v1/topics/{topic}/records as NDJSON', () => {
  it.each([
    ['one record a line', `${TWO.join('\n')}\n`],
    ['no newline at the end', TWO.join('\n')],
    ['CRLF', `${TWO.join('\r\n')}\r\n`],
    ['blank lines', `\n\n${TWO.join('\n\n \t\r\n')}\n\n`],
    ['space around the records', TWO.map((line) => ` \t${line} `).join('\n')],
  ])('%s', async (name, body) => {
    const topic = name.replaceAll(' ', '-')
    const response = await postRecords(server.url, topic, body, 'application/x-ndjson')
    const { offsets } = await expectAnswer(produceRecords, response)
    expect(offsets).toEqual([{ partition: 0, base_offset: 0, record_count: 2 }])
    expect(await storedRecords(server.url, topic)).toEqual(TWO)
  })

  it.each(['application/jsonl', 'application/ndjson', 'application/x-ndjson; charset=utf-8'])(
    'takes %s too',
    async (type) => {
      await expectAnswer(
        produceRecords,
        await postRecords(server.url, 'typed', TWO.join('\n'), type),
      )
    },
  )

  it('keeps every member, and puts the timestamp where it was given', async () => {
    const record =
      '{"value_base64":"AP8=","key_base64":"AP8=","headers":{"h":"v"},"headers_base64":{"b":"AP8="}'
    await postRecords(
      server.url,
      'members',
      `${record},"timestamp":77}\n${record},"timestamp":"1970-01-01T00:00:00.078Z","partition":0}`,
      'application/x-ndjson',
    )
    const response = await fetch(`${server.url}/t/members?until=latest`)
    const records = (await response.text()).trimEnd().split('\n')
    expect(records.map((line) => JSON.parse(line) as unknown)).toEqual(
      [77, 78].map((timestamp, offset) => ({
        partition: 0,
        offset,
        timestamp,
        ...(JSON.parse(`${record}}`) as object),
      })),
    )
  })

  it('takes 10,000 records, in order', async () => {
    const lines = Array.from({ length: 10_000 }, (_, index) => `{"value":${String(index)}}`)
    await expectAnswer(
      produceRecords,
      await postRecords(server.url, 'many', lines.join('\n'), 'application/x-ndjson'),
    )
    expect(await storedRecords(server.url, 'many')).toEqual(lines)
  })
})
