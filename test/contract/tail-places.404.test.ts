import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic } from '../../src/client/index.ts'
import { ask } from '../support/answers.ts'
import { produce, topicNames } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { TAIL_FORMS } from '../support/tail-reader.ts'
import { expectRefused } from '../support/tail-refusals.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  for (const name of ['log', 'other']) {
    await ask(server.url, createTopic, { body: { name, partitions: 2 } })
    await produce(server.url, name, [
      { value: 1, partition: 0 },
      { value: 2, partition: 0 },
    ])
  }
})
afterAll(() => server.stop())

const LOG = '/v1/topics/log/tail'

describe.each(TAIL_FORMS)('a tail as %s', (form) => {
  it.each([
    '/v1/topics/missing/tail',
    '/v1/topics/missing/tail?from=earliest&until=latest',
    '/v1/topics/missing/tail?from=0:0',
    '/v1/tail?topics=missing',
    '/v1/tail?topics=log,missing',
    `${LOG}?partitions=2`,
    `${LOG}?partitions=0,1,999`,
    `${LOG}?from=2:0`,
    `${LOG}?from=0:0,1:0,999:0`,
    `${LOG}?until=2:0`,
    `${LOG}?from=other/0:0`,
    `${LOG}?from=missing/0:0`,
    `${LOG}?partitions=0&from=1:0`,
    `${LOG}?partitions=0&until=1:0`,
    '/v1/tail?topics=log&from=other/0:0',
    '/v1/tail?topics=log,other&from=log/2:0',
  ])('of a place that is not there is a 404, and makes none: %s', async (path) => {
    await expectRefused(server.url, form, path, 'unknown_topic_or_partition')
    expect((await topicNames(server.url)).sort()).toEqual(['log', 'other'])
  })

  it.each([
    `${LOG}?from=0:3`,
    `${LOG}?from=1:1`,
    `${LOG}?from=0:0,1:1`,
    `${LOG}?from=0:9007199254740991`,
    `${LOG}?until=0:3`,
    `${LOG}?from=earliest&until=1:7`,
    '/v1/tail?topics=log,other&from=log/0:2,other/0:3',
  ])('past the end of the log is a 416: %s', async (path) => {
    await expectRefused(server.url, form, path, 'offset_out_of_range')
  })

  it('with a Last-Event-ID past the end is a 416', async () => {
    await expectRefused(server.url, form, LOG, 'offset_out_of_range', {
      headers: { 'last-event-id': '0:3' },
    })
  })
})
