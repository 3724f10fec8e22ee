import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic, produceRecords, send } from '../../src/client/index.ts'
import { ask, expectProblem } from '../support/answers.ts'
import { Outage } from '../support/outage.ts'
import { recordLines } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import {
  ACCEPT,
  openTail,
  TAIL_FORMS,
  textsOf,
  type TailForm,
  type TailReader,
} from '../support/tail-reader.ts'

let postgres: Outage
let server: TestServer
beforeAll(async () => {
  postgres = await Outage.create()
  server = await startTestServer({ DATABASE_URL: postgres.url })
})
afterAll(async () => {
  await server.stop()
  await postgres.close()
})

const LAST = 'last'

/** Sends a record, whatever comes of it. */
const attempt = (topic: string, value: string, key: string) =>
  send(server.url, produceRecords, {
    params: { topic },
    body: {
      records: [
        { value, partition: 0 },
        { value, partition: 1 },
      ],
    },
    headers: { 'idempotency-key': key },
  }).then(
    ({ ok }) => ok,
    () => false,
  )

/** Sends records until they are stored; the same key stores them once. */
async function insist(topic: string, value: string): Promise<void> {
  const key = `${topic} ${value}`
  while (!(await attempt(topic, value, key)));
}

/** Reads until the last record of both partitions; the tail must then have had the whole log. */
async function expectTheLog(tail: TailReader, topic: string): Promise<void> {
  const found: string[][] = [[], []]
  for (let left = 2; left > 0;) {
    const [text] = textsOf([await tail.next()])
    if (!text) continue
    found[text.record.partition]!.push(text.text.replace(/"partition":\d,/, ''))
    if (text.record.value === LAST) left--
  }
  for (const [partition, lines] of found.entries()) {
    expect(lines).toEqual(await recordLines(server.url, topic, partition))
  }
}

/** A tail that begins now is told to come back. */
async function expectUnavailable(form: TailForm, path: string): Promise<void> {
  if (form === 'websocket') {
    const tail = await openTail(server.url, form, path)
    expect(await tail.rest()).toMatchObject([
      { type: 'problem', code: 'store_unavailable', retriable: true, position: '' },
    ])
    expect(tail.closed).toEqual({ code: 1013, reason: 'store_unavailable' })
  } else {
    const answer = await supertest(server.url).get(path).set('accept', ACCEPT[form])
    await expectProblem(answer, 'store_unavailable')
    expect(answer.headers['retry-after']).toBe('1')
  }
}

const endSessions = () =>
  postgres.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'tailrace%'`,
  )

async function openAll(topic: string): Promise<TailReader[]> {
  await ask(server.url, createTopic, { body: { name: topic, partitions: 2 } })
  await insist(topic, 'before')
  const open = TAIL_FORMS.flatMap((form) =>
    ['earliest', '0:0,1:0'].map((from) =>
      openTail(server.url, form, `/v1/topics/${topic}/tail?from=${from}`),
    ),
  )
  const tails = await Promise.all(open)
  for (const tail of tails) await tail.next()
  return tails
}

describe('tails outlive the database, and have each record once afterwards', () => {
  it('whose sessions are ended, again and again', async () => {
    const tails = await openAll('sessions')
    for (let n = 0; n < 20; n++) {
      const sent = [insist('sessions', `a ${String(n)}`), insist('sessions', `b ${String(n)}`)]
      if (n % 3 === 0) await endSessions()
      await Promise.all(sent)
    }
    await insist('sessions', LAST)
    await Promise.all(tails.map((tail) => expectTheLog(tail, 'sessions')))
  }, 60_000)

  it('which is killed', async () => {
    const tails = await openAll('killed')
    for (let n = 0; n < 12; n++) {
      if (n % 5 === 2) postgres.kill()
      await insist('killed', String(n))
    }
    await insist('killed', LAST)
    await Promise.all(tails.map((tail) => expectTheLog(tail, 'killed')))
  }, 60_000)

  it('which is frozen', async () => {
    const tails = await openAll('frozen')
    await postgres.freeze()
    // Until it is refused the server has waited as long as it waits for anything.
    const refused = TAIL_FORMS.map((form) => expectUnavailable(form, '/v1/topics/frozen/tail'))
    expect(await attempt('frozen', 'refused', 'refused')).toBe(false)
    await Promise.all(refused)
    postgres.thaw()
    await insist('frozen', 'after')
    await insist('frozen', LAST)
    await Promise.all(tails.map((tail) => expectTheLog(tail, 'frozen')))
  }, 60_000)
})
