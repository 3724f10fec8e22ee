import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic } from '../../src/client/index.ts'
import { LIMITS } from '../../src/contract/limits.ts'
import { ask } from '../support/answers.ts'
import { produce } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { openTail, TAIL_FORMS } from '../support/tail-reader.ts'
import { expectRefused } from '../support/tail-refusals.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  for (const name of ['log', 'other']) {
    await ask(server.url, createTopic, { body: { name, partitions: 2 } })
    await produce(server.url, name, [{ value: 1, partition: 0 }])
  }
})
afterAll(() => server.stop())

const LOG = '/v1/topics/log/tail'
const SOON = String(Date.now() + 24 * 60 * 60 * 1000)

/** Texts that are no place to begin, nor to end, on a tail of one topic. */
const NO_POINTS = [
  '',
  'garbage',
  'EARLIEST',
  'earliest%20',
  '-',
  '--1',
  '-1.5',
  '-1e3',
  '-9999999999999999',
  '%2B1',
  '1.5',
  '0x10',
  'NaN',
  'null',
  '8640000000000001',
  '99999999999999999999',
  '2026-11-21',
  '2026-02-30T00:00:00Z',
  '2026-11-21T09:22:54',
  ':',
  '0:',
  ':0',
  '0:x',
  '0:-1',
  '0:1.5',
  '0:1e3',
  '0:1:2',
  '-1:0',
  'x:1',
  '0:1,',
  ',0:1',
  '0:1,,1:1',
  '0:1;1:1',
  '0:1%201:1',
  '%200:1',
  '0:1%0A',
  '0:1%00',
  '1000:0',
  '0:99999999999999999',
  '0:9007199254740992',
  '0:1,0:1',
  '0:1,00:1',
  '0:1,log/0:1',
  'log/0',
  '/0:1',
  'a%20b/0:1',
  'log//0:1',
  'log/0/0:1',
  `${'a'.repeat(250)}/0:1`,
  '0:1,garbage',
  '%D9%A0:1',
]

describe.each(TAIL_FORMS)('a tail as %s is refused', (form) => {
  const refuse = (path: string, pointer: string, where: 'query' | 'path' | 'header' = 'query') =>
    expectRefused(server.url, form, path, 'invalid_request', { in: where, pointer })

  it.each(NO_POINTS)('from=%s', async (from) => {
    await refuse(`${LOG}?from=${from}`, '/from')
  })

  it.each([...NO_POINTS, 'earliest', '-1', '-0', SOON, '2100-01-01T00:00:00Z'])(
    'until=%s',
    async (until) => {
      await refuse(`${LOG}?until=${until}`, '/until')
    },
  )

  it.each(
    // A header has no percent-encoding, and what is not sent at all says nothing.
    NO_POINTS.filter((text) => text !== '' && !text.includes('%')).concat(
      'latest',
      'earliest',
      '-1',
    ),
  )('Last-Event-ID: %s', async (id) => {
    await expectRefused(server.url, form, LOG, 'invalid_request', {
      in: 'header',
      pointer: '/last-event-id',
      headers: { 'last-event-id': id },
    })
  })

  it.each([
    ['partitions=', '/partitions'],
    ['partitions=x', '/partitions'],
    ['partitions=-1', '/partitions'],
    ['partitions=1000', '/partitions'],
    ['partitions=0,', '/partitions'],
    ['partitions=0,,1', '/partitions'],
    ['partitions=0;1', '/partitions'],
    ['partitions=0,0', '/partitions'],
    ['partitions=0,1,00', '/partitions'],
    [`partitions=${Array.from({ length: 1200 }, () => '100').join()}`, '/partitions'],
    ['max_records=0', '/max_records'],
    ['max_records=-1', '/max_records'],
    ['max_records=1.5', '/max_records'],
    ['max_records=x', '/max_records'],
    ['max_records=', '/max_records'],
    ['max_records=9007199254740992', '/max_records'],
    ['credit=-1', '/credit'],
    ['credit=x', '/credit'],
    ['credit=1000000001', '/credit'],
    ['on_truncated=', '/on_truncated'],
    ['on_truncated=ignore', '/on_truncated'],
    ['key=a&key=b', '/key'],
    ['key=%ff', '/key'],
    [`key=${'k'.repeat(LIMITS.tail_key_chars + 1)}`, '/key'],
    ['from=earliest&from=latest', '/from'],
    [`from=${'1'.repeat(LIMITS.tail_position_chars + 1)}`, '/from'],
    [`until=${'1'.repeat(LIMITS.tail_position_chars + 1)}`, '/until'],
    ['offset=0', '/offset'],
    ['max_bytes=1', '/max_bytes'],
    ['From=earliest', '/From'],
    ['topics=log', '/topics'],
    ['__proto__=1', '/__proto__'],
  ])('?%s', async (query, pointer) => {
    await refuse(`${LOG}?${query}`, pointer)
  })

  it.each([
    ['', '/topics'],
    ['topics=', '/topics'],
    ['topics=,', '/topics'],
    ['topics=log,', '/topics'],
    ['topics=log,,other', '/topics'],
    ['topics=log,log', '/topics'],
    ['topics=log,other,log', '/topics'],
    ['topics=.', '/topics'],
    ['topics=log,a%20b', '/topics'],
    ['topics=a%2Fb', '/topics'],
    [`topics=${'a'.repeat(250)}`, '/topics'],
    ['topics=log&topics=other', '/topics'],
    [`topics=${Array.from({ length: 101 }, (_, k) => `t${String(k)}`).join()}`, '/topics'],
    [`topics=${'t,'.repeat(LIMITS.tail_position_chars / 2)}t`, '/topics'],
    ['topics=log&partitions=0', '/partitions'],
    // On a tail of several topics each entry says which it means, if there is but one as well.
    ['topics=log,other&from=0:1', '/from'],
    ['topics=log&from=0:1', '/from'],
    ['topics=log,other&until=log/0:1,0:1', '/until'],
    ['topics=log,other&from=log/0:1,log/0:1', '/from'],
  ])('/v1/tail?%s', async (query, pointer) => {
    await refuse(`/v1/tail?${query}`, pointer)
  })

  it.each([
    ['/v1/topics/caf%C3%A9/tail', '/topic'],
    ['/v1/topics/a%20b/tail', '/topic'],
    [`/v1/topics/${'a'.repeat(250)}/tail`, '/topic'],
  ])('%s', async (path, pointer) => {
    await refuse(path, pointer, 'path')
  })

  it('of more than a position can name', async () => {
    const names = ['a', 'b'].map((letter) => `${letter.repeat(200)}-${form}`)
    for (const name of names) {
      await ask(server.url, createTopic, { body: { name, partitions: 50 } })
    }
    await refuse(`/v1/tail?topics=${names.join()}`, '/topics')
  })

  it('of more partitions than a tail may have', async () => {
    const names = ['m', 'n'].map((letter) => letter + form)
    for (const name of names) {
      await ask(server.url, createTopic, { body: { name, partitions: 501 } })
    }
    await refuse(`/v1/tail?topics=${names.join()}`, '/topics')
  })
})

describe.each(TAIL_FORMS)('a tail as %s is allowed', (form) => {
  it('all partitions that a topic may have, and can be resumed', async () => {
    const name = `${'w'.repeat(200)}-${form}`
    await ask(server.url, createTopic, { body: { name, partitions: LIMITS.partitions_per_topic } })
    const path = `/v1/topics/${name}/tail`
    const { position } = await (await openTail(server.url, form, path)).next()
    const again = await openTail(server.url, form, `${path}?from=${position!}&until=latest`)
    expect(await again.next()).toMatchObject({ type: 'begin', position })
  })
})
