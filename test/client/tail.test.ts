import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { CallError, tail, type TailControl } from '../../src/client/index.ts'
import { batch, begin, end, FORMS, heartbeat, problem, records, upToDate } from './messages.ts'
import { open, places, readAll } from './reading.ts'
import { ScriptedServer } from './scripted-server.ts'

let server: ScriptedServer
beforeEach(async () => {
  server = await ScriptedServer.start()
  return () => server.stop()
})
afterEach(() => {
  vi.unstubAllGlobals()
})

describe.each(FORMS)('a tail as %s', (form) => {
  it('gives the records in order and finishes with `end`', async () => {
    const sent = [...records(5, 8), ...records(2, 4, { partition: 1 }), ...records(8, 9)]
    server.script(async (connection) => {
      await connection.say(begin('0:5,1:2'), batch('0:8,1:2', ...sent.slice(0, 3)))
      await connection.say(batch('0:8,1:4', ...sent.slice(3, 5)), upToDate('0:8,1:4'))
      await connection.say(heartbeat('0:8,1:4'), batch('0:9,1:4', ...sent.slice(5)))
      await connection.say(end('0:9,1:4'))
    })
    const told: TailControl[] = []
    const following = open(server.url, form, { control: (message) => void told.push(message) })
    expect(following.position).toBeUndefined()
    expect(await readAll(following)).toEqual(sent)
    expect(following.position).toBe('0:9,1:4')
    const position = '0:8,1:4'
    expect(told).toEqual([
      begin('0:5,1:2'),
      { type: 'up_to_date', position },
      { type: 'heartbeat', position },
      end('0:9,1:4'),
    ])
    await server.connections[0]!.closed
  })

  it('says its position behind the record that the reader has', async () => {
    server.script(async (connection) => {
      await connection.say(begin('0:5,1:2'), batch('0:7,1:2', ...records(5, 7)))
      await connection.say(batch('0:7,1:9', ...records(2, 4, { partition: 1 })), end('0:7,1:9'))
    })
    const following = open(server.url, form)
    const positions = []
    for await (const { offset } of following) positions.push([offset, following.position])
    const [five, six, two, three] = positions
    expect([five, six, two]).toEqual([
      [5, '0:6,1:2'],
      [6, '0:7,1:2'],
      [2, '0:7,1:3'],
    ])
    // Of the records after 1/3 none had the key, say. Lines cannot know that before the next message.
    expect(three).toEqual([3, form === 'ndjson' ? '0:7,1:4' : '0:7,1:9'])
    expect(following.position).toBe('0:7,1:9')
  })

  it('asks for what its options say', async () => {
    server.script((connection) => connection.say(begin('0:0'), end('0:0')))
    const following = open(server.url, form, {
      from: '-5',
      partitions: [0, 2],
      key: 'a&b=ü',
      max_records: 7,
      until: 'latest',
      on_truncated: 'end',
      headers: { authorization: 'Bearer abc' },
    })
    expect(await readAll(following)).toEqual([])
    const [{ path, query, headers } = expect.fail()] = server.connections
    expect(path).toBe('/v1/topics/orders/tail')
    const { credit, ...asked } = query
    expect(credit).toBe(form === 'websocket' ? '1000' : undefined)
    expect(asked).toEqual({
      from: '-5',
      partitions: '0,2',
      key: 'a&b=ü',
      max_records: '7',
      until: 'latest',
      on_truncated: 'end',
    })
    expect(headers.authorization).toBe('Bearer abc')
    expect(headers['last-event-id']).toBeUndefined()
  })

  it('asks for nothing that its options do not say', async () => {
    server.script((connection) => connection.say(begin('0:0'), end('0:0')))
    await readAll(open(server.url, form))
    const { credit: _, ...asked } = server.connections[0]!.query
    expect(asked).toEqual({})
  })

  it('of several topics says of which one a record is', async () => {
    const sent = [...records(5, 7, { topic: 'a' }), ...records(2, 3, { topic: 'b' })]
    server.script(async (connection) => {
      await connection.say(begin('a/0:5,b/0:2'), batch('a/0:7,b/0:2', ...sent.slice(0, 2)))
      await connection.say(batch('a/0:7,b/0:3', ...sent.slice(2)), end('a/0:7,b/0:3'))
    })
    const following = open(server.url, form, {}, ['a', 'b'])
    const positions = []
    for await (const { offset } of following) positions.push([offset, following.position])
    expect(positions).toEqual([
      [5, 'a/0:6,b/0:2'],
      [6, 'a/0:7,b/0:2'],
      [2, 'a/0:7,b/0:3'],
    ])
    expect(server.connections[0]).toMatchObject({ path: '/v1/tail', query: { topics: 'a,b' } })
  })

  it('throws the problem with which it ends', async () => {
    const failed = problem('offset_out_of_range', 416, false, '0:1')
    server.script((connection) =>
      connection.say(begin('0:0'), batch('0:1', ...records(0, 1)), failed),
    )
    const told: TailControl[] = []
    const following = open(server.url, form, { control: (message) => void told.push(message) })
    const seen: number[] = []
    const reading = (async () => {
      for await (const { offset } of following) seen.push(offset)
    })()
    const error = await reading.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(CallError)
    expect(error).toMatchObject({
      status: 416,
      message: failed.detail,
      problem: { code: 'offset_out_of_range', type: '/problems/offset_out_of_range' },
    })
    expect(seen).toEqual([0])
    expect(told.at(-1)).toEqual(failed)
  })

  it('goes on in a second loop where the first one stopped', async () => {
    server.script(
      (connection) => connection.say(begin('0:0'), batch('0:9', ...records(0, 9))),
      (connection) => connection.say(begin('0:3'), batch('0:9', ...records(3, 9)), end('0:9')),
    )
    const following = open(server.url, form, { max_records: 9 })
    for await (const { offset } of following) if (offset === 2) break
    expect(places(await readAll(following))).toEqual(places(records(3, 9)))
    expect(server.connections[1]!.position).toBe('0:3')
    expect(server.connections[1]!.query['max_records']).toBe('6')
    expect(await readAll(following)).toEqual([])
    expect(server.connections).toHaveLength(2)
  })

  it('is not read by two loops at once', async () => {
    server.script((connection) => connection.say(begin('0:0'), batch('0:9', ...records(0, 9))))
    const { signal } = new AbortController()
    const following = open(server.url, form, { signal })
    const first = following[Symbol.asyncIterator]()
    await first.next()
    await expect(readAll(following)).rejects.toThrow('another loop')
    await first.return?.()
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('throws where a message is none', async () => {
    server.script((connection) => connection.write(form === 'sse' ? 'data: {"of\n\n' : '{"of\n'))
    await expect(readAll(open(server.url, form))).rejects.toThrow('{"of')
  })

  it('lets messages pass that it does not know', async () => {
    const news = { type: 'news', text: 'of a later version' } as unknown as TailControl
    const unknown = JSON.stringify(news)
    server.script(async (connection) => {
      await connection.say(begin('0:0'))
      await connection.write(form === 'sse' ? `event: news\ndata: ${unknown}\n\n` : `${unknown}\n`)
      await connection.say(batch('0:1', ...records(0, 1)), end('0:1'))
    })
    const told: TailControl[] = []
    const following = open(server.url, form, { control: (message) => void told.push(message) })
    expect(await readAll(following)).toHaveLength(1)
    expect(told).toContainEqual(news)
  })
})

describe('a tail', () => {
  it('needs a WebSocket to be one', () => {
    vi.stubGlobal('WebSocket', undefined)
    const form = 'websocket'
    expect(() => tail(server.url, 'orders', { form })).toThrow('pass one as the option WebSocket')
  })

  it('takes the WebSocket that is there', async () => {
    vi.stubGlobal('WebSocket', WebSocket)
    server.script((connection) => connection.say(begin('0:0'), end('0:0')))
    expect(await readAll(tail(server.url, 'orders', { form: 'websocket' }))).toEqual([])
  })

  it.each(['localhost:7070', 'ftp://localhost', 'localhost', ''])(
    'needs the address of a server, not "%s"',
    (base) => {
      expect(() => tail(base, 'orders')).toThrow(TypeError)
    },
  )

  it('needs a topic, and headers that can be sent', () => {
    expect(() => tail(server.url, [])).toThrow(TypeError)
    expect(() => tail(server.url, 'a', { headers: { 'not a name': '' } })).toThrow(TypeError)
  })
})
