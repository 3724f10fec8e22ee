import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../src/contract/limits.ts'
import { fromLogplex } from '../support/drain-calls.ts'
import { bodyOf, frameOf, lineOf } from '../support/drain-frames.ts'
import { useDrains } from '../support/use-drains.ts'
import { until } from '../support/within.ts'

const drains = useDrains()

describe('what a drain has received', () => {
  it('is nothing at first', async () => {
    const created = await drains.create('new')
    expect(await drains.describe('new')).toEqual({
      name: 'new',
      topic: 'new',
      url: created.url,
      created_at: created.created_at,
      received: {
        ...{ frames: 0, lines: 0, bytes: 0, duplicates: 0, flagged: 0 },
        ...{ last_frame_at: null, last_frame_id: null, arrival_lag_ms: null },
      },
      gaps: { count: 0, dropped_lines: 0, last_at: null },
      looped: { lines: 0, last_at: null },
      sources: [],
    })
  })

  it('counts frames, lines and bytes, and tells the last frame', async () => {
    await drains.create('counted')
    const first = frameOf('one', 'two', 'drei und µ')
    await drains.postFrame('counted', first, 'A1')
    await drains.postFrame('counted', frameOf('four'), 'A2')
    const { received } = await drains.describe('counted')
    const bytes = first.length + frameOf('four').length
    expect(received).toMatchObject({ frames: 2, lines: 4, bytes, duplicates: 0, flagged: 0 })
    expect(received.last_frame_id).toBe('A2')
    const [{ now }] = (await drains.server.database.query<{ now: Date }>('select now()')) as [
      { now: Date },
    ]
    expect(Date.parse(received.last_frame_at!)).toBeLessThanOrEqual(now.getTime())
  })

  it('counts what came twice as a duplicate, and nothing else of it', async () => {
    await drains.create('twice')
    await drains.postFrame('twice', frameOf('one', 'two'), 'B1')
    await drains.postFrame('twice', frameOf('one', 'two'), 'B1')
    await drains.postFrame('twice', frameOf('one', 'two'), 'B1')
    const { received, sources } = await drains.describe('twice')
    expect(received).toMatchObject({ frames: 1, lines: 2, duplicates: 2 })
    expect(received.bytes).toBe(frameOf('one', 'two').length)
    expect(sources).toMatchObject([{ source: 'app/web.1', frames: 1 }])
  })

  it('counts what was not understood', async () => {
    await drains.create('flagged')
    await drains.postFrame('flagged', bodyOf(lineOf('fine'), 'no syslog at all', lineOf('fine')))
    const { received } = await drains.describe('flagged')
    expect(received).toMatchObject({ frames: 1, lines: 3, flagged: 1 })
  })

  it('names apps and processes, the latest first', async () => {
    await drains.create('sources')
    const router = lineOf('at=info', { pri: 158, app: 'heroku', process: 'router' })
    await drains.postFrame('sources', bodyOf(lineOf('a'), router, lineOf('b')))
    await drains.describe('sources')
    await drains.postFrame('sources', bodyOf(lineOf('c', { process: 'worker.2' })))
    await drains.describe('sources')
    await drains.postFrame('sources', bodyOf(lineOf('d')))
    const { sources } = await drains.describe('sources')
    expect(sources.map(({ source, frames }) => [source, frames])).toEqual([
      ['app/web.1', 2],
      ['app/worker.2', 1],
      ['heroku/router', 1],
    ])
    for (const { first_seen_at, last_seen_at } of sources) {
      expect(Date.parse(last_seen_at)).toBeGreaterThanOrEqual(Date.parse(first_seen_at))
    }
  })

  it('says how late the youngest line of the last frame came', async () => {
    await drains.create('lag')
    const time = (agoMs: number) => new Date(Date.now() - agoMs).toISOString()
    await drains.postFrame(
      'lag',
      bodyOf(lineOf('old', { time: time(600_000) }), lineOf('young', { time: time(60_000) })),
    )
    const { arrival_lag_ms } = (await drains.describe('lag')).received
    expect(arrival_lag_ms).toBeGreaterThanOrEqual(60_000)
    expect(arrival_lag_ms).toBeLessThan(600_000)
  })

  it('shows the losses that the sender tells of', async () => {
    await drains.create('gaps')
    const l10 = (count: number) =>
      lineOf(
        `Error L10 (output buffer overflow): ${String(count)} messages dropped since 2026-11-21T09:40:00Z.`,
        { pri: 172, app: 'heroku', process: 'logplex' },
      ).trimEnd()
    await drains.postFrame('gaps', bodyOf(l10(17), lineOf('a')), 'C1')
    await drains.postFrame('gaps', bodyOf(lineOf('b')), 'C2')
    await drains.postFrame('gaps', bodyOf(l10(3), lineOf('c')), 'C3')
    // The same again is not another loss.
    await drains.postFrame('gaps', bodyOf(l10(3), lineOf('c')), 'C3')
    const headers = { 'content-type': 'application/logplex-1', 'logplex-lost-count': '5' }
    await drains.post('gaps', frameOf('d'), { headers })
    const { gaps, received } = await drains.describe('gaps')
    expect(gaps).toMatchObject({ count: 3, dropped_lines: 25 })
    expect(Date.parse(gaps.last_at!)).toBeLessThanOrEqual(Date.parse(received.last_frame_at!))
    const kinds = (await drains.values('gaps')).filter(({ kind }) => kind === 'gap')
    expect(kinds.map(({ fields }) => fields?.['dropped'])).toEqual([17, 3, 5])
  })

  it('is told to the database by itself', async () => {
    await drains.create('told')
    await drains.postFrame('told', frameOf('one'))
    await until(async () => {
      const rows = await drains.server.database.query(
        `select from tailrace.drain_counts join tailrace.drains using (drain_id)
           where name = 'told' and frames = 1`,
      )
      return rows.length === 1
    })
  })
})

describe('counting goes on', () => {
  it('although senders call themselves by the longest names there are', async () => {
    await drains.create('endless')
    // Text that does not compress: an entry of an index has at most 2.7 KB.
    const scattered = (count: number, from: number, size: number) =>
      Array.from({ length: count }, (_, n) => String.fromCodePoint(from + ((n * n * 7919) % size)))
    const process = scattered(440, 0x61, 26).join('')
    await drains.postFrame('endless', bodyOf(lineOf('long', { process })))
    for (const app of [scattered(3_000, 0x4e00, 20_000), scattered(3_000, 0x1f300, 700)]) {
      const body = JSON.stringify([{ app: app.join(''), message: 'long' }])
      await drains.post('endless', body, { headers: { 'content-type': 'application/json' } })
    }
    await drains.postFrame('endless', frameOf('short'))
    const { received, sources } = await drains.describe('endless')
    expect(received).toMatchObject({ frames: 4, lines: 4 })
    expect(sources).toHaveLength(4)
    expect(await drains.messages('endless')).toEqual(['long', 'long', 'long', 'short'])
  })

  it('although a sender names itself and its frames in ways that are no text', async () => {
    await drains.create('odd')
    const names = ['nul\0nul', 'half\ud800', '\\u0000', '\u2028', 'é'.repeat(300), '\x1b[31m']
    for (const [n, name] of names.entries()) {
      const headers = { ...fromLogplex(`odd-\xff-${String(n)}`), 'logplex-drain-token': 'd.\xe9' }
      const answer = await drains.post('odd', bodyOf(lineOf('x', { process: name })), { headers })
      expect(answer.status).toBe(204)
      expect((await drains.describe('odd')).received.frames).toBe(n + 1)
    }
  })

  it('with only so many sources, whatever their number', async () => {
    await drains.create('many')
    const inBody = 250
    const bodies = Math.ceil((LIMITS.drain_sources + 1) / inBody)
    for (let n = 0; n < bodies; n++) {
      const lines = Array.from({ length: inBody }, (_, k) =>
        lineOf('x', { process: `run.${String(n * inBody + k)}` }),
      )
      expect((await drains.postFrame('many', bodyOf(...lines))).status).toBe(204)
      // Told one by one, so that each is judged by what there is already.
      await drains.describe('many')
    }
    const { sources, received } = await drains.describe('many')
    expect(sources).toHaveLength(LIMITS.drain_sources_shown)
    expect(received.lines).toBe(bodies * inBody)
    const [{ kept }] = (await drains.server.database.query<{ kept: string }>(
      `select count(*) as kept from tailrace.drain_sources join tailrace.drains using (drain_id)
         where name = 'many'`,
    )) as [{ kept: string }]
    expect(Number(kept)).toBeLessThan(LIMITS.drain_sources + inBody)
  })
})
