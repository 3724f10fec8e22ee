import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { batch, begin, end, FORMS, heartbeat, records } from './messages.ts'
import { open, places, readAll, signpost, until, watchTimers, type Timers } from './reading.ts'
import { ScriptedServer, type Connection } from './scripted-server.ts'

let server: ScriptedServer
let errors: string[]
let timers: Timers
const retrying = (error: unknown) => void errors.push((error as Error).message)
const SILENT = 'The connection of the tail was lost: nothing arrived for 40 seconds'

beforeEach(async () => {
  errors = []
  vi.spyOn(Math, 'random').mockReturnValue(0)
  server = await ScriptedServer.start()
  // The client's clock stands still unless a test moves it; sockets go on.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  timers = watchTimers()
})
afterEach(async () => {
  vi.restoreAllMocks()
  vi.useRealTimers()
  await server.stop()
})

const finish = (connection: Connection) =>
  connection.say(begin('0:2'), batch('0:4', ...records(2, 4)), end('0:4'))

describe.each(FORMS)('a silent connection, as %s', (form) => {
  it('is lost after 40 seconds', async () => {
    server.script(
      (connection) => connection.say(begin('0:0'), batch('0:2', ...records(0, 2))),
      finish,
    )
    const following = open(server.url, form, { retrying })
    const reader = following[Symbol.asyncIterator]()
    for (let k = 0; k < 2; k++) await reader.next()
    const next = reader.next()
    await until(() => timers.pending(40_000) === 1)
    vi.advanceTimersByTime(39_999)
    await until(() => true)
    expect(errors).toEqual([])
    vi.advanceTimersByTime(1)
    expect((await next).value).toEqual(records(2, 3)[0])
    expect(errors).toEqual([SILENT])
    expect(server.connections[1]!.position).toBe('0:2')
    expect(places(await readAll({ [Symbol.asyncIterator]: () => reader } as never))).toEqual([
      '0/3',
    ])
    // The client has given it up, not only forgotten.
    await server.connections[0]!.closed
  })

  it('is lost though it never answered', async () => {
    server.script(() => undefined, finish)
    const reading = readAll(open(server.url, form, { from: '0:2', retrying }))
    await until(() => server.connections.length === 1)
    vi.advanceTimersByTime(40_000)
    expect(await reading).toEqual(records(2, 4))
    expect(errors).toEqual([SILENT])
    await server.connections[0]!.closed
  })

  it('is not one with heartbeats', async () => {
    const beats = Array.from({ length: 5 }, signpost)
    server.script(async (connection) => {
      await connection.say(begin('0:2'))
      for (const beat of beats) {
        await beat.reached
        await connection.say(heartbeat('0:2'))
      }
      await connection.say(batch('0:4', ...records(2, 4)), end('0:4'))
    })
    let heard = 0
    const control = () => {
      heard++
    }
    const reading = readAll(open(server.url, form, { retrying, control }))
    for (const [k, beat] of beats.entries()) {
      await until(() => heard === k + 1)
      vi.advanceTimersByTime(30_000)
      beat.reach()
    }
    expect(await reading).toEqual(records(2, 4))
    expect(errors).toEqual([])
  })

  it('is not one whose reader is slow', async () => {
    server.script((connection) =>
      connection.say(begin('0:2'), batch('0:4', ...records(2, 4)), end('0:4')),
    )
    for await (const { offset } of open(server.url, form, { retrying })) {
      expect(offset).toBeLessThan(4)
      vi.advanceTimersByTime(3_600_000)
    }
    expect(errors).toEqual([])
    expect(server.connections).toHaveLength(1)
  })
})

describe('what keeps a connection', () => {
  it.each([
    ['blank lines', 'ndjson', '\n'],
    ['comments', 'sse', ': still here\n\n'],
    ['parts of a record', 'ndjson', ' '],
  ] as const)('are %s', async (_, form, text) => {
    let connection: Connection | undefined
    server.script(async (first) => {
      await first.say(begin('0:2'))
      connection = first
    })
    let begun = false
    const reading = readAll(open(server.url, form, { retrying, control: () => (begun = true) }))
    await until(() => begun && connection !== undefined)
    for (let k = 0; k < 5; k++) {
      vi.advanceTimersByTime(30_000)
      const begun = timers.begun(40_000)
      await connection!.write(text)
      // The clock begins anew for what comes after.
      await until(() => timers.begun(40_000) > begun)
    }
    await connection!.say(batch('0:4', ...records(2, 4)), end('0:4'))
    expect(await reading).toEqual(records(2, 4))
    expect(errors).toEqual([])
  })
})
