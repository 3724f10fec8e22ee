import { beforeEach, describe, expect, it, vi } from 'vitest'
import { CallError, type TailControl } from '../../src/client/index.ts'
import { batch, begin, draining, end, FORMS, problem, record, records } from './messages.ts'
import { open, places, readAll } from './reading.ts'
import { ScriptedServer, type Connection, type Script } from './scripted-server.ts'

let server: ScriptedServer
let retries: { error: unknown; delayMs: number }[]
const retrying = (error: unknown, delayMs: number) => void retries.push({ error, delayMs })

beforeEach(async () => {
  retries = []
  // No waits, but where a test wants them.
  vi.spyOn(Math, 'random').mockReturnValue(0)
  server = await ScriptedServer.start()
  return async () => {
    vi.restoreAllMocks()
    await server.stop()
  }
})

const cutAfter =
  (...messages: Parameters<Connection['say']>): Script =>
  async (connection) => {
    await connection.say(...messages)
    connection.cut()
  }
const say =
  (...messages: Parameters<Connection['say']>): Script =>
  (connection) =>
    connection.say(...messages)

/** A cut may take with it what was under way: only where the client then goes on is certain. */
const goOn =
  (to: number): Script =>
  (connection) => {
    const next = Number(/^0:(\d+)/.exec(connection.position ?? '')?.[1] ?? 0)
    return connection.say(
      begin(`0:${String(next)}`),
      ...(next < to ? [batch(`0:${String(to)}`, ...records(next, to))] : []),
      end(`0:${String(to)}`),
    )
  }

describe.each(FORMS)('a lost tail as %s', (form) => {
  it('goes on behind the last record', async () => {
    server.script(cutAfter(begin('0:0'), batch('0:5', ...records(0, 5))), goOn(9))
    expect(await readAll(open(server.url, form, { from: 'earliest', retrying }))).toEqual(
      records(0, 9),
    )
    expect(server.connections).toHaveLength(2)
    expect(retries).toEqual([
      { error: expect.objectContaining({ name: 'ConnectionLost' }), delayMs: 0 },
    ])
  })

  it('goes on from its beginning where there was no record', async () => {
    server.script(
      async (connection) => {
        await connection.say(begin('0:7,1:3'))
        await beginHeard
        connection.cut()
      },
      say(begin('0:7,1:3'), batch('0:8,1:3', record(0, 7)), end('0:8,1:3')),
    )
    let hear!: () => void
    const beginHeard = new Promise<void>((resolve) => (hear = resolve))
    const following = open(server.url, form, { from: 'latest', control: () => hear() })
    expect(places(await readAll(following))).toEqual(['0/7'])
    expect(server.connections[1]!.position).toBe('0:7,1:3')
    expect(server.connections[1]!.query['from']).toBe(form === 'sse' ? undefined : '0:7,1:3')
  })

  it('begins anew where it had not begun', async () => {
    server.script(
      (connection) => connection.cut(),
      (connection) => connection.cut(),
      say(begin('0:7'), batch('0:8', record(0, 7)), end('0:8')),
    )
    expect(places(await readAll(open(server.url, form, { from: '-1' })))).toEqual(['0/7'])
    expect(server.connections.map(({ query }) => query['from'])).toEqual(['-1', '-1', '-1'])
  })

  it('takes an end without a last message for a loss', async () => {
    server.script(async (connection) => {
      await connection.say(begin('0:0'), batch('0:5', ...records(0, 5)))
      connection.end()
    }, goOn(6))
    expect(await readAll(open(server.url, form, { retrying }))).toEqual(records(0, 6))
    expect(server.connections[1]!.position).toBe('0:5')
    expect(retries).toHaveLength(1)
  })

  it('is replaced at once where the server drains', async () => {
    vi.mocked(Math.random).mockReturnValue(0.999)
    server.script(say(begin('0:0'), batch('0:5', ...records(0, 5)), draining('0:6')), goOn(9))
    const following = open(server.url, form, { retrying })
    expect(places(await readAll(following))).toEqual(places([...records(0, 5), ...records(6, 9)]))
    expect(retries.map(({ delayMs }) => delayMs)).toEqual([0])
  })

  it('closes the connection that it gives up, though the server does not', async () => {
    server.script(say(begin('0:0'), draining('0:0')), async (connection) => {
      await server.connections[0]!.closed
      await goOn(1)(connection)
    })
    expect(await readAll(open(server.url, form))).toEqual(records(0, 1))
  })

  it('backs off from a server that only ever drains', async () => {
    vi.mocked(Math.random).mockReturnValue(0.01)
    const drain = say(begin('0:0'), draining('0:0'))
    server.script(drain, drain, drain, goOn(1))
    expect(await readAll(open(server.url, form, { retrying }))).toEqual(records(0, 1))
    expect(retries.map(({ delayMs }) => delayMs)).toEqual([0, 2, 4])
  })

  it('waits longer each time, until a connection is of use', async () => {
    vi.mocked(Math.random).mockReturnValue(0.01)
    const lost: Script = (connection) => connection.cut()
    const useful = problem('store_unavailable', 503, true, '0:1')
    server.script(lost, lost, lost, say(begin('0:0'), batch('0:1', record(0, 0)), useful), goOn(2))
    expect(await readAll(open(server.url, form, { retrying }))).toEqual(records(0, 2))
    expect(retries.map(({ delayMs }) => delayMs)).toEqual([1, 2, 4, 1])
  })

  it('goes on after a problem that may pass', async () => {
    const slow = problem('slow_consumer', 503, true, '0:5')
    server.script(say(begin('0:0'), batch('0:5', ...records(0, 5)), slow), goOn(9))
    expect(await readAll(open(server.url, form, { retrying }))).toEqual(records(0, 9))
    expect(retries[0]?.error).toBeInstanceOf(CallError)
    expect(retries[0]?.error).toMatchObject({ problem: { code: 'slow_consumer' } })
  })

  it('knows its position though a server could not look', async () => {
    const away = problem('store_unavailable', 503, true, '')
    server.script(
      say(begin('0:0'), batch('0:5', ...records(0, 5)), draining('0:5')),
      say(away),
      goOn(9),
    )
    expect(await readAll(open(server.url, form, { retrying }))).toEqual(records(0, 9))
    expect(server.connections[2]!.position).toBe('0:5')
  })

  it('asks only for the records that are left', async () => {
    const script: Script = async (connection) => {
      await connection.say(begin('0:0'), batch('0:4', ...records(0, 4)))
      connection.end()
    }
    server.script(script, say(begin('0:4'), batch('0:7', ...records(4, 7)), end('0:7')))
    expect(await readAll(open(server.url, form, { max_records: 7 }))).toEqual(records(0, 7))
    expect(server.connections.map(({ query }) => query['max_records'])).toEqual(['7', '3'])
  })

  it('is complete with the last of its records, though `end` is lost', async () => {
    server.script(async (connection) => {
      await connection.say(begin('0:0'), batch('0:7', ...records(0, 7)))
      connection.end()
    })
    const following = open(server.url, form, { max_records: 7, retrying })
    expect(await readAll(following)).toEqual(records(0, 7))
    expect(retries).toEqual([])
  })

  it('ends where `until` was when it began', async () => {
    const script: Script = async (connection) => {
      await connection.say(begin('0:0,1:5', '0:9,1:5'), batch('0:4,1:5', ...records(0, 4)))
      connection.end()
    }
    server.script(script, (connection) =>
      connection.say(begin('0:4,1:5', '0:9,1:5'), end('0:9,1:5')),
    )
    expect(await readAll(open(server.url, form, { until: 'latest' }))).toEqual(records(0, 4))
    expect(server.connections.map(({ query }) => query['until'])).toEqual(['latest', '0:9,1:5'])
  })

  it('keeps an `until` that could not be resolved', async () => {
    const until = '2999-01-01T00:00:00Z'
    server.script(say(begin('0:0'), draining('0:0')), goOn(1))
    expect(await readAll(open(server.url, form, { until }))).toEqual(records(0, 1))
    expect(server.connections.map(({ query }) => query['until'])).toEqual([until, until])
  })

  it('leaves out a topic that was deleted', async () => {
    const gone: TailControl = { type: 'topic_deleted', topic: 'a', position: 'ab/0:3' }
    server.script(
      say(
        begin('a/0:5,ab/0:2', 'a/0:9,ab/0:9'),
        batch('a/0:5,ab/0:3', record(0, 2, 'ab')),
        gone,
        draining('ab/0:3'),
      ),
      say(
        begin('ab/0:3', 'ab/0:9'),
        batch('ab/0:9', ...records(3, 9, { topic: 'ab' })),
        end('ab/0:9'),
      ),
    )
    const read = await readAll(open(server.url, form, { until: 'latest' }, ['a', 'ab']))
    expect(read).toEqual(records(2, 9, { topic: 'ab' }))
    const [, second] = server.connections
    expect(second!.query).toMatchObject({ topics: 'ab', until: 'ab/0:9' })
    expect(second!.position).toBe('ab/0:3')
  })

  it('is complete when all of its topics are gone', async () => {
    server.script(async (connection) => {
      await connection.say(begin('0:0'), { type: 'topic_deleted', topic: 'orders', position: '' })
      connection.end()
    })
    expect(await readAll(open(server.url, form, { retrying }))).toEqual([])
    expect(retries).toEqual([])
  })

  it('is tried again where the server refuses for now', async () => {
    const busy = problem('draining', 503, true)
    server.script((connection) => connection.refuse(503, busy), goOn(3))
    expect(await readAll(open(server.url, form, { retrying }))).toEqual(records(0, 3))
    expect(retries).toHaveLength(1)
  })

  it('is tried again where nobody listens', async () => {
    const { url } = server
    await server.stop()
    const stop = new AbortController()
    const signal = stop.signal
    const reading = readAll(
      open(url, form, {
        signal,
        retrying: (error, delayMs) => {
          retrying(error, delayMs)
          if (retries.length === 3) stop.abort(new Error('enough'))
        },
      }),
    )
    await expect(reading).rejects.toThrow('enough')
    expect(retries.map(({ error }) => (error as Error).name)).toEqual(
      Array.from({ length: 3 }, () => 'ConnectionLost'),
    )
    server = await ScriptedServer.start()
  })
})

describe('a lost event stream', () => {
  it('goes on from an id that came alone', async () => {
    server.script(async (connection) => {
      await connection.say(begin('0:0,1:0'), batch('0:1,1:0', record(0, 0)))
      await connection.write(': nothing for this reader\nid: 0:1,1:70\n\n')
      connection.end()
    }, goOn(3))
    expect(await readAll(open(server.url, 'sse'))).toEqual(records(0, 3))
    expect(server.connections[1]!.position).toBe('0:1,1:70')
  })

  it('goes on behind a record without an id of its own', async () => {
    server.script(async (connection) => {
      await connection.say(begin('0:0,1:0'), batch('0:1,1:0', record(0, 0)))
      await connection.write(`data: ${JSON.stringify(record(0, 1))}\n\nid\n\n`)
      connection.end()
    }, goOn(3))
    expect(await readAll(open(server.url, 'sse'))).toEqual(records(0, 3))
    expect(server.connections[1]!.position).toBe('0:2,1:0')
  })
})

describe.each(['ndjson', 'sse'] as const)('an answer that is no tail, as %s', (form) => {
  it('throws the problem', async () => {
    const unknown = { ...problem('unknown_topic_or_partition', 404, false), type: '/problems/x' }
    server.script((connection) => connection.refuse(404, unknown))
    const error = await readAll(open(server.url, form, { retrying })).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(CallError)
    expect(error).toMatchObject({ status: 404, problem: unknown, message: unknown.detail })
    expect(retries).toEqual([])
  })

  it('throws a problem that will not pass, though it is the server’s', async () => {
    server.script((connection) => connection.refuse(500, problem('internal_error', 500, false)))
    await expect(readAll(open(server.url, form))).rejects.toMatchObject({ status: 500 })
  })

  it('is tried again when the server says, where something between us refuses', async () => {
    const page = { 'content-type': 'text/html' }
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    server.script(
      (connection) => connection.refuse(502, {}, page),
      (connection) => connection.refuse(429, {}, { ...page, 'retry-after': '7' }),
      (connection) => connection.refuse(503, {}, { ...page, 'retry-after': '86400' }),
      goOn(1),
    )
    const following = open(server.url, form, {
      retrying: (error, delayMs) => {
        retrying(error, delayMs)
        // The wait begins when this has returned.
        queueMicrotask(() => vi.advanceTimersByTime(delayMs))
      },
    })
    expect(await readAll(following)).toEqual(records(0, 1))
    expect(retries.map(({ delayMs }) => delayMs)).toEqual([0, 7000, 60_000])
    vi.useRealTimers()
  })

  it('throws where something between us forbids', async () => {
    server.script((connection) => connection.refuse(403, {}, { 'content-type': 'text/html' }))
    await expect(readAll(open(server.url, form))).rejects.toMatchObject({ status: 403 })
  })

  it('throws where the answer has another form', async () => {
    server.script((connection) => connection.refuse(200, {}, { 'content-type': 'text/html' }))
    const reading = readAll(open(server.url, form))
    await expect(reading).rejects.toThrow(/\/v1\/topics\/orders\/tail should answer with/)
  })
})
