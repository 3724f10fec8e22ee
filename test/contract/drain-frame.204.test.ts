import { describe, expect, it } from 'vitest'
import { call, createTopic, deleteTopic, getTopic, patchTopic } from '../../src/client/index.ts'
import type { DrainLine } from '../../src/contract/drain-lines.ts'
import { ask } from '../support/answers.ts'
import { fromLogplex } from '../support/drain-calls.ts'
import { bodyFrom, bodyOf, frameOf, lineOf } from '../support/drain-frames.ts'
import { useDrains } from '../support/use-drains.ts'

const drains = useDrains()
let count = 0

/** A drain of its own takes the body, and all of it can be had back. */
async function expectKept(body: string | Uint8Array): Promise<DrainLine[]> {
  const drain = `kept-${++count}`
  await drains.create(drain)
  const answer = await drains.postFrame(drain, body)
  expect(answer).toMatchObject({ status: 204, text: '' })
  const values = await drains.values(drain)
  expect(bodyFrom(values).equals(Buffer.from(body))).toBe(true)
  return values
}

const messagesOf = (values: readonly DrainLine[]) => values.map(({ message }) => message)

describe('a frame of Logplex', () => {
  it('becomes records that say what its lines say', async () => {
    const router =
      'at=info method=GET path="/a b" host=x.example.com request_id=1 fwd="1.2.3.4" dyno=web.1 connect=0ms service=3ms status=200 bytes=12 protocol=https tls=true'
    await drains.create('said')
    const body = bodyOf(
      lineOf('listening on 5000'),
      lineOf(router, { pri: 158, app: 'heroku', process: 'router' }),
      lineOf('State changed from starting to up', { pri: 45, app: 'heroku' }),
    )
    await drains.postFrame('said', body, 'F1')
    const token = fromLogplex()['logplex-drain-token']
    expect(await drains.records('said')).toMatchObject([
      {
        key: `${token}/web.1`,
        value: {
          timestamp: '2026-11-21T09:41:06.819402+00:00',
          facility: 'local7',
          severity: 'info',
          app: 'app',
          process: 'web.1',
          message: 'listening on 5000',
        },
      },
      {
        key: `${token}/router`,
        value: { kind: 'router', fields: { path: '/a b', connect: 0, service: 3, status: 200 } },
      },
      { key: `${token}/web.1`, value: { kind: 'state' } },
    ])
  })

  it('may have nothing in it', async () => {
    expect(await expectKept('')).toEqual([])
  })

  it('may have as many lines as a buffer of Logplex and the notice of its loss: 1,025', async () => {
    const l10 =
      '<172>1 2026-11-21T09:41:07.000000+00:00 host heroku logplex - Error L10 (output buffer overflow): 1976 messages dropped since 2026-11-21T09:41:06.000000+00:00.'
    const lines = Array.from({ length: 1_024 }, (_, n) => lineOf(`line ${n}`))
    const values = await expectKept(bodyOf(l10, ...lines))
    expect(values).toHaveLength(1_025)
    expect(values.at(-1)?.message).toBe('line 1023')
  })

  it('may have 102,400 bytes, of lines cut at 10,000', async () => {
    const lines = Array.from({ length: 10 }, (_, n) => lineOf(String(n).repeat(10_000)).trimEnd())
    const values = await expectKept(bodyOf(...lines))
    expect(values.map(({ flags }) => flags)).toEqual(Array(10).fill(['no_newline', 'split']))
  })

  it('may have a character that was cut in half', async () => {
    const text = Buffer.from(`${'x'.repeat(9_999)}µ and so on\n`)
    const head = Buffer.from(lineOf('').trimEnd() + ' ')
    const cut = [text.subarray(0, 10_000), text.subarray(10_000)]
    const values = await expectKept(bodyOf(...cut.map((half) => Buffer.concat([head, half]))))
    expect(values.map(({ flags }) => flags?.includes('not_utf8'))).toEqual([true, true])
  })
})

describe('whatever a frame holds, it is stored whole', () => {
  const fine = lineOf('fine')
  const length = Buffer.byteLength(fine)
  const bytes = (...numbers: number[]) => Buffer.from(numbers)
  const texts = [
    'a\0b',
    '\0',
    '\\u0000',
    '\\',
    '"',
    '\\"\\',
    '\u2028',
    '\ufeff',
    '\x1b[31m',
    '\b\b',
  ]

  it.each<[what: string, body: string | Uint8Array]>([
    ['a count of a million octets', `1000000 ${fine}`],
    ['a count of more than there are numbers', `${'9'.repeat(400)} ${fine}`],
    ['a count that is one too large', `${length + 1} ${fine}`],
    ['a count that is one too small', `${length - 1} ${fine}`],
    ['counts that are one too large, twice', `${length + 1} ${fine}${length + 1} ${fine}`],
    ['counts that are one too small, twice', `${length - 1} ${fine}${length - 1} ${fine}`],
    ['a wrong count between right ones', `${length} ${fine}7 ${fine}${length} ${fine}`],
    ['a count of nothing', `0 ${length} ${fine}`],
    ['a negative count', `-1 ${fine}`],
    ['a count and nothing behind it', `${length} `],
    ['a count alone', '17'],
    ['no counts', fine + fine],
    ['a message cut in its text', bodyOf(fine, fine).subarray(0, -3)],
    ['a message cut in its head', bodyOf(fine, fine).subarray(0, length + 20)],
    ['a message cut in its count', Buffer.concat([bodyOf(fine), Buffer.from('1')])],
    ['characters of several bytes', bodyOf(lineOf('µ'), lineOf('日本'), lineOf('👩‍👩‍👧'), fine)],
    ['characters counted instead of bytes', `${fine.length} ${lineOf('µµµµ')}${length} ${fine}`],
    ['an empty text', bodyOf(lineOf(''), lineOf('').trimEnd(), lineOf(' '))],
    ['a message of nothing', '0 0 0 '],
    ['blanks only', ' \n\t \r\n'],
    ['newlines only', '\n\n\n'],
    ['what is no syslog', bodyOf('hello', 'GET / HTTP/1.1\r\n', '<999>1 x', '<1>2 x')],
    ['a time that is none', bodyOf(lineOf('x', { time: 'yesterday' }), lineOf('x', { time: '-' }))],
    ['stray blanks between frames', `\n${length} ${fine} \n ${length} ${fine}\n\n`],
    ['newlines inside', bodyOf(lineOf('a\nb\r\nc'), lineOf('d\r'), lineOf('e\n'))],
    ['texts that must be escaped', bodyOf(...texts.map((text) => lineOf(text)))],
    ['bytes that are not UTF-8', bodyOf(Buffer.concat([Buffer.from(fine), bytes(0xe9, 0xff, 10)]))],
    ['halves of surrogates', bodyOf(Buffer.concat([Buffer.from(fine), bytes(0xed, 0xa0, 0x80)]))],
    ['every byte there is', Uint8Array.from({ length: 256 }, (_, n) => n)],
    ['nothing but NUL', new Uint8Array(5_000)],
    ['a line that is too long for a record', bodyOf(lineOf('x'.repeat(3_000_000)), fine)],
    ['a line of control characters', bodyOf(lineOf('\x01'.repeat(400_000)), fine)],
    ['a long line that is not UTF-8', bodyOf(new Uint8Array(2_000_000).fill(0xe9), fine)],
    ['a thousand ends of lines in a text', bodyOf(lineOf('\n'.repeat(1_000)))],
    ['JSON', '[{"a":1},\n{"b":2}]'],
    ['JSON in a line', bodyOf(lineOf('{"a":"\\u0000","b":"\\ud800","__proto__":1}'))],
    ['names with quotes in them', bodyOf(lineOf('x', { process: '"\\u0000"', app: '\\' }))],
  ])('%s', async (_what, body) => {
    await expectKept(body)
  })

  it('a line with a backslash and u0000 is not one with a NUL', async () => {
    const values = await expectKept(bodyOf(lineOf('\\u0000'), lineOf('\0')))
    expect(messagesOf(values)).toEqual(['\\u0000', '\0'])
    expect(values.map(({ flags }) => flags)).toEqual([undefined, ['nul']])
  })

  it('counts that lie do not move others', async () => {
    const values = await expectKept(`${length + 1} ${fine}${length} ${fine}${length - 1} ${fine}`)
    expect(messagesOf(values)).toEqual(['fine', 'fine', 'fine'])
  })

  it('a flood of tiny frames', async () => {
    await expectKept('1 x'.repeat(300_000))
  })
})

describe('a topic', () => {
  it('that allows only small records has larger ones of a drain all the same', async () => {
    const config = { max_record_bytes: 100 }
    await ask(drains.url, createTopic, { body: { name: 'small', config } })
    await drains.create('small')
    const body = bodyOf(lineOf('x'.repeat(5_000)), lineOf('y'))
    expect((await drains.postFrame('small', body)).status).toBe(204)
    expect(bodyFrom(await drains.values('small')).equals(body)).toBe(true)
  })

  it('that is deleted is made anew', async () => {
    await drains.create('deleted', { partitions: 3 })
    await drains.postFrame('deleted', frameOf('one'), 'F1')
    await call(drains.url, deleteTopic, { params: { topic: 'deleted' } })
    expect((await drains.postFrame('deleted', frameOf('two'), 'F2')).status).toBe(204)
    expect((await ask(drains.url, getTopic, { params: { topic: 'deleted' } })).partitions).toBe(1)
    expect(await drains.messages('deleted')).toEqual(['two'])
  })

  it('that is deleted again and again takes nothing away from those who are answered', async () => {
    await drains.create('unsteady')
    const answers: Promise<{ status: number }>[] = []
    for (let n = 0; n < 40; n++) {
      answers.push(drains.postFrame('unsteady', frameOf(`line ${n}`), `F${n}`))
      if (n % 8 === 4) {
        const deleting = call(drains.url, deleteTopic, { params: { topic: 'unsteady' } })
        // It may not have been made again yet.
        await deleting.catch(() => undefined)
      }
    }
    for (const answer of answers) expect((await answer).status).toBe(204)
  })

  it('that grows keeps what was stored once', async () => {
    await drains.create('grown')
    const lines = Array.from({ length: 20 }, (_, n) => lineOf('x', { process: `web.${n}` }))
    await drains.postFrame('grown', bodyOf(...lines), 'F1')
    await ask(drains.url, patchTopic, { params: { topic: 'grown' }, body: { partitions: 8 } })
    await drains.postFrame('grown', bodyOf(...lines), 'F1')
    expect(await drains.records('grown', 8)).toHaveLength(20)
  })
})

describe('lines about this very drain', () => {
  const router = (host: string, path: string) =>
    lineOf(`at=info method=POST path="${path}" host=${host} dyno=web.1 status=204`, {
      pri: 158,
      app: 'heroku',
      process: 'router',
    })

  it('are left out and counted, and no others', async () => {
    await drains.create('loop')
    const { host } = new URL(drains.url)
    const body = bodyOf(
      router(host, '/drains/loop'),
      router(host, '/drains/loop?app=x'),
      router(host, '/drains/looper'),
      router('other.example.com', '/drains/loop'),
      router(host, '/'),
      lineOf(`path="/drains/loop" host=${host}`),
    )
    expect((await drains.postFrame('loop', body)).status).toBe(204)
    expect(await drains.values('loop')).toHaveLength(4)
    const { looped, received } = await drains.describe('loop')
    expect(looped).toEqual({ lines: 2, last_at: expect.any(String) })
    expect(received).toMatchObject({ frames: 1, lines: 4, bytes: body.length })
  })

  it('are known however its URL was written', async () => {
    await drains.create('written')
    const { host } = new URL(drains.url)
    const { credential } = await drains.rotate('written')
    const headers = { ...fromLogplex(), authorization: `Bearer ${credential}` }
    for (const name of ['written/', 'writte%6e', 'written/?app=x', 'written?app=x']) {
      const body = bodyOf(router(host, `/drains/${name}`))
      expect((await drains.call('POST', name, { headers }, body)).status).toBe(204)
    }
    expect(await drains.values('written')).toEqual([])
    expect((await drains.describe('written')).looped.lines).toBe(4)
  })

  it('may be all there is', async () => {
    await drains.create('only-loop')
    const { host } = new URL(drains.url)
    const answer = await drains.postFrame('only-loop', bodyOf(router(host, '/drains/only-loop')))
    expect(answer.status).toBe(204)
    expect(await drains.values('only-loop')).toEqual([])
    expect((await drains.describe('only-loop')).looped.lines).toBe(1)
  })
})
