import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { basic, LOGPLEX } from '../support/drain-calls.ts'
import { bodyOf, frameOf, lineOf } from '../support/drain-frames.ts'
import { openHolder } from '../support/locks.ts'
import { useDrains, useDrainsOnNodes } from '../support/use-drains.ts'
import { until } from '../support/within.ts'

const drains = useDrains()
const JSON_TYPE = 'application/json'

const duplicatesOf = async (drain: string) => (await drains.describe(drain)).received.duplicates

/** The partition's lock, held; whoever writes to it waits. */
async function lockedPartition(topic: string) {
  const { database } = drains.server
  const holder = await openHolder(database.url)
  const rows = await database.query<{ id: string }>(
    `select partition_id as id from tailrace.partitions join tailrace.topics using (topic_id)
       where name = $1`,
    [topic],
  )
  await holder.lock(Number(rows[0]?.id))
  const isWaitedFor = async () => {
    const waiting = await database.query(
      `select from pg_locks where locktype = 'advisory' and not granted`,
    )
    return waiting.length > 0
  }
  return { release: () => holder.release(), isWaitedFor: () => until(isWaitedFor) }
}

describe('a frame of Logplex that comes again is stored once', () => {
  it('one after the other', async () => {
    await drains.create('sequence')
    for (let n = 0; n < 5; n++) {
      const answer = await drains.postFrame('sequence', frameOf('one', 'two'), 'F1')
      expect(answer.status).toBe(204)
    }
    expect(await drains.messages('sequence')).toEqual(['one', 'two'])
    expect(await duplicatesOf('sequence')).toBe(4)
  })

  it('all at once', async () => {
    await drains.create('storm')
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => drains.postFrame('storm', frameOf('one', 'two'), 'F1')),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(204))
    expect(await drains.messages('storm')).toEqual(['one', 'two'])
    expect(await duplicatesOf('storm')).toBe(19)
  })

  it('while the first is still under way', async () => {
    await drains.create('stalled')
    await drains.postFrame('stalled', frameOf('before'))
    const lock = await lockedPartition('stalled')
    const first = drains.postFrame('stalled', frameOf('one'), 'F1')
    await lock.isWaitedFor()
    const second = drains.postFrame('stalled', frameOf('one'), 'F1')
    await lock.release()
    expect([(await first).status, (await second).status]).toEqual([204, 204])
    expect(await drains.messages('stalled')).toEqual(['before', 'one'])
  })

  it('although its bytes are others: a notice of loss stands in front', async () => {
    await drains.create('other-bytes')
    const l10 =
      '<172>1 2026-11-21T09:41:07.000000+00:00 host heroku logplex - Error L10 (output buffer overflow): 3 messages dropped since 2026-11-21T09:41:06.000000+00:00.'
    await drains.postFrame('other-bytes', bodyOf(lineOf('one')), 'F1')
    const answer = await drains.postFrame('other-bytes', bodyOf(l10, lineOf('one')), 'F1')
    expect(answer.status).toBe(204)
    expect(await drains.messages('other-bytes')).toEqual(['one'])
  })

  it('over several partitions', async () => {
    await drains.create('spread', { partitions: 5 })
    const lines = Array.from({ length: 30 }, (_, n) => lineOf(String(n), { process: `web.${n}` }))
    for (let n = 0; n < 3; n++) await drains.postFrame('spread', bodyOf(...lines), 'F1')
    expect(await drains.records('spread', 5)).toHaveLength(30)
  })

  it('although its sender hung up before it was answered', async () => {
    const { credential } = await drains.create('cut')
    await drains.postFrame('cut', frameOf('before'))
    const lock = await lockedPartition('cut')
    const { hostname, port, host } = new URL(drains.url)
    const socket = connect(Number(port), hostname)
    const body = frameOf('one')
    const head = [
      'POST /drains/cut HTTP/1.1',
      `Host: ${host}`,
      `Authorization: ${basic('logs', credential)}`,
      `Content-Type: ${LOGPLEX}`,
      'Logplex-Frame-Id: F1',
      `Content-Length: ${String(body.length)}`,
    ]
    socket.write(`${head.join('\r\n')}\r\n\r\n`)
    socket.write(body)
    await lock.isWaitedFor()
    socket.destroy()
    await lock.release()
    await until(async () => (await drains.messages('cut')).length === 2)
    expect((await drains.postFrame('cut', body, 'F1')).status).toBe(204)
    expect(await drains.messages('cut')).toEqual(['before', 'one'])
  })

  it('and others are not: another id, none, or another drain', async () => {
    await drains.create('first', { topic: 'shared' })
    await drains.create('second', { topic: 'shared' })
    for (const [drain, id] of [
      ['first', 'F1'],
      ['first', 'F2'],
      ['first', 'f1'],
      ['first', undefined],
      ['first', undefined],
      ['second', 'F1'],
    ] as const) {
      await drains.postFrame(drain, frameOf(`${drain} ${String(id)}`), id)
    }
    expect(await drains.messages('shared')).toEqual([
      'first F1',
      'first F2',
      'first f1',
      'first undefined',
      'first undefined',
      'second F1',
    ])
    expect(await duplicatesOf('first')).toBe(0)
  })

  it('whatever its id is: it means nothing to us', async () => {
    await drains.create('opaque')
    const ids = ['x', '0', 'f'.repeat(8_000), "'; drop table", 'a\tb', '\xe9\xff', '{"a":1}']
    for (const id of ids) {
      for (let n = 0; n < 2; n++) {
        expect((await drains.postFrame('opaque', frameOf('x'), id)).status).toBe(204)
      }
      expect((await drains.describe('opaque')).received.last_frame_id).toBe(id)
    }
    expect(await drains.messages('opaque')).toHaveLength(ids.length)
  })
})

describe('senders with other names for what they send', () => {
  it.each([
    ['log-shuttle: X-Request-Id', LOGPLEX, 'x-request-id', true],
    ['JSON with an Idempotency-Key', JSON_TYPE, 'idempotency-key', true],
    ['text with an Idempotency-Key', 'text/plain', 'idempotency-key', true],
    ['Logplex with an Idempotency-Key', LOGPLEX, 'idempotency-key', true],
    // Proxies invent one for each try.
    ['JSON with an X-Request-Id, which is nobody’s name for it', JSON_TYPE, 'x-request-id', false],
  ])('%s', async (_who, type, header, isOnce) => {
    const drain = `named-${type.replace('/', '-')}-${header}`
    await drains.create(drain)
    const body =
      type === LOGPLEX ? frameOf('one') : type === JSON_TYPE ? '[{"message":"one"}]' : 'one'
    for (const id of ['I1', 'I1', 'I2']) {
      const headers = { 'content-type': type, [header]: id }
      expect((await drains.post(drain, body, { headers })).status).toBe(204)
    }
    expect(await drains.messages(drain)).toHaveLength(isOnce ? 2 : 3)
  })

  it('Firehose: its request id', async () => {
    await drains.create('firehose')
    const data = Buffer.from('{"message":"one"}').toString('base64')
    const body = JSON.stringify({ requestId: 'R1', timestamp: 1, records: [{ data }] })
    for (const id of ['R1', 'R1', 'R2']) {
      const headers = { 'content-type': JSON_TYPE, 'x-amz-firehose-request-id': id }
      expect((await drains.post('firehose', body, { headers })).status).toBe(200)
    }
    expect(await drains.messages('firehose')).toHaveLength(2)
  })
})

describe('senders without any name for what they send', () => {
  const text = (drain: string, body: string, query?: string) =>
    drains.post(drain, body, { headers: { 'content-type': 'text/plain' }, ...(query && { query }) })

  it('have the same body stored once where they ask for it', async () => {
    await drains.create('by-body')
    await text('by-body', 'one\ntwo\n', 'dedupe=body')
    await text('by-body', 'one\ntwo\n', 'dedupe=body')
    await text('by-body', 'one\ntwo\n ', 'dedupe=body')
    expect(await drains.messages('by-body')).toEqual(['one', 'two', 'one', 'two'])
    expect(await duplicatesOf('by-body')).toBe(1)
  })

  it('have it stored each time where they do not', async () => {
    await drains.create('each-time')
    await text('each-time', 'one\n')
    await text('each-time', 'one\n', 'dedupe=none')
    await text('each-time', 'one\n', 'dedupe=body')
    expect(await drains.messages('each-time')).toEqual(['one', 'one', 'one'])
  })

  it('have each log of OTLP stored once where they ask for it', async () => {
    await drains.create('by-content')
    const log = (n: number) => ({
      timeUnixNano: `${n}000000000`,
      body: { stringValue: `log ${n}` },
    })
    const sendLogs = (...logs: unknown[]) =>
      drains.post(
        'by-content',
        JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: logs }] }] }),
        { below: '/v1/logs', query: 'dedupe=content', headers: { 'content-type': JSON_TYPE } },
      )
    await sendLogs(log(1), log(2))
    await sendLogs(log(2), log(3))
    expect((await sendLogs(log(1), log(3))).status).toBe(200)
    expect(await drains.messages('by-content')).toEqual(['log 1', 'log 2', 'log 3'])
  })
})

/** How senders write a batch of the events with these ids. */
const BATCHES: [who: string, headers: Record<string, string>, batch: (ids: string[]) => string][] =
  [
    [
      'Vercel',
      { 'content-type': JSON_TYPE, 'x-vercel-signature': 'checked by nobody' },
      (ids) => JSON.stringify(ids.map((id) => ({ id, message: id, source: 'lambda' }))),
    ],
    [
      'Vercel, as NDJSON',
      { 'content-type': 'application/x-ndjson', 'x-vercel-signature': 'checked by nobody' },
      (ids) => ids.map((id) => JSON.stringify({ id, message: id, source: 'lambda' })).join('\n'),
    ],
    [
      'CloudEvents',
      { 'content-type': 'application/cloudevents-batch+json' },
      (ids) =>
        JSON.stringify(ids.map((id) => ({ specversion: '1.0', id, source: '/s', message: id }))),
    ],
  ]

describe.each(BATCHES)('events of %s are stored once each', (who, headers, batch) => {
  const drain = `events-${who.replaceAll(/\W/g, '')}`
  const sendIds = (...ids: string[]) => drains.post(drain, batch(ids), { headers })

  it('of a batch that overlaps an earlier one only the new ones', async () => {
    await drains.create(drain, { partitions: 1 })
    await sendIds('a', 'b', 'c')
    expect((await sendIds('b', 'c', 'd', 'e')).status).toBeLessThan(300)
    await sendIds('e', 'a')
    await sendIds('f', 'f')
    expect(await drains.messages(drain)).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  })

  it('and are counted as what they are', async () => {
    const { received } = await drains.describe(drain)
    // The third batch brought nothing.
    expect(received).toMatchObject({ frames: 3, lines: 6, duplicates: 5 })
  })
})

describe('events that come one a request', () => {
  it('Pub/Sub: by messageId', async () => {
    await drains.create('pubsub')
    for (const messageId of ['1', '2', '1']) {
      const data = Buffer.from(`{"message":"${messageId}"}`).toString('base64')
      const body = { message: { data, messageId }, subscription: 'projects/p/subscriptions/s' }
      const headers = { 'content-type': JSON_TYPE }
      const answer = await drains.post('pubsub', JSON.stringify(body), { headers })
      expect(answer.status).toBe(204)
    }
    expect(await drains.messages('pubsub')).toEqual(['1', '2'])
  })

  it.each(['structured', 'binary'])('CloudEvents, %s: by source and id', async (mode) => {
    await drains.create(mode)
    for (const [source, id] of [
      ['/a', '1'],
      ['/a', '2'],
      ['/b', '1'],
      ['/a', '1'],
    ] as const) {
      const event = { specversion: '1.0', id, source, type: 't' }
      const answer =
        mode === 'structured'
          ? await drains.post(mode, JSON.stringify(event), {
              headers: { 'content-type': 'application/cloudevents+json' },
            })
          : await drains.post(mode, '{"a":1}', {
              headers: {
                'content-type': JSON_TYPE,
                ...Object.fromEntries(
                  Object.entries(event).map(([name, value]) => [`ce-${name}`, value]),
                ),
              },
            })
      expect(answer.status).toBe(204)
    }
    const events = (await drains.records(mode)).map(({ value }) => value)
    expect(events).toMatchObject([
      { source: '/a', id: '1' },
      { source: '/a', id: '2' },
      { source: '/b', id: '1' },
    ])
  })
})

describe('on two nodes', () => {
  const [one, other] = useDrainsOnNodes()

  it('the same frame is stored once', async () => {
    const drain = await one.create('noded')
    other.know(drain)
    const both = (body: Buffer, id: string) =>
      Promise.all([one.postFrame('noded', body, id), other.postFrame('noded', body, id)])
    for (let n = 0; n < 20; n++) {
      for (const { status } of await both(frameOf(String(n)), `F${n}`)) expect(status).toBe(204)
    }
    const messages = await one.messages('noded')
    expect(messages).toEqual(Array.from({ length: 20 }, (_, n) => String(n)))
    await other.describe('noded')
    expect((await one.describe('noded')).received).toMatchObject({ frames: 20, duplicates: 20 })
  })
})
