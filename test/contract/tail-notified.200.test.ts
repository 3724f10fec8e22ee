import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { partitionId } from '../support/log-start.ts'
import { produce } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { openTail, TAIL_FORMS, valuesOf } from '../support/tail-reader.ts'
import { until } from '../support/within.ts'

let server: TestServer
let other: TestServer
beforeAll(async () => {
  server = await startTestServer()
  other = await startTestServer({ DATABASE_URL: server.database.url })
  await until(async () => (await listeners()) === 2)
})
afterAll(async () => {
  await other.stop()
  await server.stop()
})

const listeners = async () =>
  (
    await server.database.query(
      `select from pg_stat_activity where datname = current_database()
         and application_name = 'tailrace listen' and query ~ 'notify'`,
    )
  ).length

const notify = (payload: string) =>
  server.database.query(`select pg_notify('tailrace_appended', $1)`, [payload])

describe.each(TAIL_FORMS)('a tail as %s', (form) => {
  it('has what is produced through another server', async () => {
    const topic = `other-${form}`
    await produce(server.url, topic, [{ value: 0 }])
    const tail = await openTail(server.url, form, `/v1/topics/${topic}/tail`)
    await tail.upTo('up_to_date')
    for (let value = 1; value <= 20; value++) {
      await produce(value % 3 === 0 ? server.url : other.url, topic, [{ value }])
    }
    expect(valuesOf(await tail.upToRecords(20))).toEqual(
      Array.from({ length: 20 }, (_, k) => k + 1),
    )
  })

  it.each([
    ['a high watermark that was never reached', '9007199254740991'],
    ['a low one', '0'],
    ['a negative one', '-1'],
    ['more than a number can say', '99999999999999999999'],
    ['nothing', ''],
    ['no number', 'x'],
  ])('is not misled by false words: %s', async (_, highWatermark) => {
    const topic = `misled-${form}-${highWatermark}`
    await produce(server.url, topic, [{ value: 0 }])
    const id = await partitionId(server, topic)
    const tail = await openTail(server.url, form, `/v1/topics/${topic}/tail`)
    await tail.upTo('up_to_date')
    for (let value = 1; value <= 5; value++) {
      await notify(`forged ${String(id)}:${highWatermark}`)
      await produce(value % 2 ? server.url : other.url, topic, [{ value }])
      expect(valuesOf(await tail.upToRecords(1))).toEqual([value])
    }
  })

  it.each(['garbage', '', ' ', '?', ':', ' :', 'x :,:,', `x ${'9'.repeat(7000)}`])(
    'goes on whatever is said on the channel: %s',
    async (payload) => {
      const topic = `garbage-${form}`
      await produce(server.url, topic, [{ value: 0 }])
      const tail = await openTail(server.url, form, `/v1/topics/${topic}/tail`)
      await tail.upTo('up_to_date')
      await notify(payload)
      for (const node of [server, other]) await produce(node.url, topic, [{ value: payload }])
      expect(valuesOf(await tail.upToRecords(2))).toEqual([payload, payload])
    },
  )
})
