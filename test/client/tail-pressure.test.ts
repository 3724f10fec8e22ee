import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { batch, begin, encode, end, records, type Message } from './messages.ts'
import { open, readAll } from './reading.ts'
import {
  ScriptedServer,
  socketOf,
  type Connection,
  type SocketConnection,
} from './scripted-server.ts'

let server: ScriptedServer
beforeAll(async () => {
  server = await ScriptedServer.start()
})
afterAll(() => server.stop())

/** A second lies between any two looks at the clock: nothing is fast. */
beforeEach(() => {
  let now = 0
  vi.spyOn(performance, 'now').mockImplementation(() => (now += 1000))
})
afterEach(() => {
  vi.restoreAllMocks()
})

/** Far more than the buffers of two sockets hold. */
const BIG = 'x'.repeat(1 << 20)
const COUNT = 100

describe.each(['ndjson', 'sse'] as const)('a slow reader of %s', (form) => {
  it('slows the server', async () => {
    let written = 0
    server.script(async (connection) => {
      await connection.say(begin('0:0'))
      for (const record of records(0, COUNT)) {
        await connection.say(batch(`0:${String(record.offset + 1)}`, { ...record, value: BIG }))
        written++
      }
      await connection.say(end(`0:${String(COUNT)}`))
    })
    const reader = open(server.url, form)[Symbol.asyncIterator]()
    const read = async () => (await reader.next()).value?.offset
    expect(await read()).toBe(0)
    // A reader that reads ahead would have all of it in far fewer turns.
    for (let k = 0; k < 2000; k++) await turn()
    const stalled = written
    expect(stalled).toBeLessThan(COUNT)
    for (let k = 1; k < COUNT; k++) expect(await read()).toBe(k)
    expect(await read()).toBeUndefined()
    expect(written).toBe(COUNT)
  })
})

/** Sends as much as it has credit for, like the real server, and never more. */
class CreditedServer {
  readonly granted: number[] = []
  #credit = 0
  #wake: () => void = () => undefined

  async serve(connection: SocketConnection, count: number, size: number): Promise<void> {
    this.#credit = Number(connection.query['credit'])
    connection.socket.on('message', (data: Buffer) => {
      const { type, records: more } = JSON.parse(String(data))
      expect(type).toBe('credit')
      this.granted.push(more)
      this.#credit += more
      this.#wake()
    })
    await connection.say(begin('0:0'))
    for (let at = 0; at < count;) at = await this.#page(connection, at, Math.min(count, at + size))
    await connection.say(end(`0:${String(count)}`))
  }

  async #page(connection: Connection, from: number, most: number): Promise<number> {
    while (this.#credit === 0) await new Promise<void>((resolve) => (this.#wake = resolve))
    const to = Math.min(most, from + this.#credit)
    this.#credit -= to - from
    await connection.say(batch(`0:${String(to)}`, ...records(from, to)))
    return to
  }
}

describe('a reader of a WebSocket', () => {
  it.each([1, 7, 400, 1000, 5000])(
    'grants credit as it consumes, with messages of %i',
    async (size) => {
      const credited = new CreditedServer()
      const count = 5600
      server.script((connection) => credited.serve(socketOf(connection), count, size))
      expect(await readAll(open(server.url, 'websocket'))).toEqual(records(0, count))
      const granted = credited.granted.reduce((sum, more) => sum + more, 0)
      expect(granted).toBeLessThanOrEqual(count)
      expect(granted).toBeGreaterThanOrEqual(count - 1000)
      // Few words: half of the credit at a time, or a message more.
      expect(Math.min(...credited.granted)).toBeGreaterThanOrEqual(500)
    },
  )

  it('takes more credit where it would have to ask too often', async () => {
    vi.spyOn(performance, 'now').mockReturnValue(0)
    const credited = new CreditedServer()
    server.script((connection) => credited.serve(socketOf(connection), 16_000, 1000))
    expect(await readAll(open(server.url, 'websocket'))).toHaveLength(16_000)
    expect(credited.granted).toEqual([500, 500 + 1000, 1000 + 2000, 2000 + 4000, 4000 + 8000])
  })

  it('grants nothing before it has consumed half', async () => {
    server.script((connection) =>
      connection.say(begin('0:0'), batch('0:1000', ...records(0, 1000))),
    )
    const reader = open(server.url, 'websocket')[Symbol.asyncIterator]()
    const consume = async (count: number) => {
      for (let k = 0; k < count; k++) await reader.next()
    }
    await consume(500)
    const connection = socketOf(server.connections[0])
    await connection.heard()
    // The 500th is in the reader's hand.
    expect(connection.commands).toEqual([])
    await consume(1)
    await connection.heard()
    expect(connection.commands).toEqual([{ type: 'credit', records: 500 }])
    await consume(499)
    await connection.heard()
    expect(connection.commands).toHaveLength(1)
    await reader.return?.()
    await connection.closed
  })

  it('has the same position, in whatever parts a message is handed on', async () => {
    const message: Message = batch('0:1500,1:8', ...records(0, 1200))
    server.script((connection) =>
      connection
        .write(encode('websocket', begin('0:0,1:8'))[0]!)
        .then(() => connection.say(message, end('0:1500,1:8'))),
    )
    const following = open(server.url, 'websocket')
    const positions: string[] = []
    for await (const { offset } of following) positions[offset] = following.position!
    expect(positions.slice(0, -1)).toEqual(
      records(1, 1200).map(({ offset }) => `0:${String(offset)},1:8`),
    )
    expect(positions.at(-1)).toBe('0:1500,1:8')
  })
})
