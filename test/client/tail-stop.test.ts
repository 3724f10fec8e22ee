import { spawn } from 'node:child_process'
import { getEventListeners } from 'node:events'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Tail, TailOptions } from '../../src/client/index.ts'
import { batch, begin, FORMS, problem, record, records, upToDate } from './messages.ts'
import { open, readAll, signpost, until, watchTimers } from './reading.ts'
import { ScriptedServer, type Script } from './scripted-server.ts'

let server: ScriptedServer
beforeAll(async () => {
  server = await ScriptedServer.start()
})
afterAll(() => server.stop())

const enough = new Error('enough')
let stop: AbortController
beforeEach(() => {
  stop = new AbortController()
  vi.spyOn(Math, 'random').mockReturnValue(1)
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

/** Some records, then nothing more. */
const silent: Script = (connection) =>
  connection.say(begin('0:0'), batch('0:5', ...records(0, 5)), upToDate('0:5'))
/** Not even an answer. */
const mute: Script = () => undefined

/** A tail that is aborted with `enough`, expected to throw it and to keep nothing. */
async function expectStopped(following: Tail): Promise<void> {
  await expect(readAll(following)).rejects.toBe(enough)
  expect(getEventListeners(stop.signal, 'abort')).toEqual([])
}

describe.each(FORMS)('a tail as %s', (form) => {
  const following = (options: TailOptions = {}) =>
    open(server.url, form, { signal: stop.signal, ...options })

  it('closes its connection when its loop is left', async () => {
    server.script(silent)
    for await (const { offset } of following()) if (offset === 2) break
    await server.connections[0]!.closed
    expect(getEventListeners(stop.signal, 'abort')).toEqual([])
  })

  it('closes its connection when its loop throws', async () => {
    server.script(silent)
    const reading = async () => {
      for await (const { offset } of following()) throw new Error(`thrown at ${String(offset)}`)
    }
    await expect(reading()).rejects.toThrow('thrown at 0')
    await server.connections[0]!.closed
  })

  it('closes its connection when it is told of something and throws', async () => {
    server.script(silent)
    const control = () => {
      throw enough
    }
    await expectStopped(following({ control }))
    await server.connections[0]!.closed
  })

  it('can be left while it waits', async () => {
    server.script(silent)
    const caughtUp = signpost()
    const control = ({ type }: { type: string }) => {
      if (type === 'up_to_date') caughtUp.reach()
    }
    const reader = following({ control })[Symbol.asyncIterator]()
    for (let k = 0; k < 5; k++) await reader.next()
    const waiting = reader.next()
    await caughtUp.reached
    expect(await reader.return?.()).toEqual({ done: true, value: undefined })
    expect(await waiting).toEqual({ done: true, value: undefined })
    await server.connections[0]!.closed
    expect(await reader.next()).toEqual({ done: true, value: undefined })
  })

  it('can be left before it was begun', async () => {
    server.script()
    const reader = following()[Symbol.asyncIterator]()
    expect(await reader.return?.()).toEqual({ done: true, value: undefined })
    expect(server.connections).toEqual([])
    expect(getEventListeners(stop.signal, 'abort')).toEqual([])
  })

  it('is not begun under an aborted signal', async () => {
    server.script()
    stop.abort(enough)
    await expectStopped(following())
    expect(server.connections).toEqual([])
  })

  it('is aborted while it connects', async () => {
    server.script(mute)
    const stopped = expectStopped(following())
    await until(() => server.connections.length === 1)
    stop.abort(enough)
    await stopped
    await server.connections[0]!.closed
  })

  it('is aborted while it waits for records', async () => {
    server.script(silent)
    const control = ({ type }: { type: string }) => {
      if (type === 'up_to_date') setImmediate(() => stop.abort(enough))
    }
    await expectStopped(following({ control }))
    await server.connections[0]!.closed
  })

  it('is aborted between records that are there already', async () => {
    server.script(silent)
    const seen: number[] = []
    const reading = async () => {
      for await (const { offset } of following()) {
        seen.push(offset)
        if (offset === 2) stop.abort(enough)
      }
    }
    await expect(reading()).rejects.toBe(enough)
    expect(seen).toEqual([0, 1, 2])
    await server.connections[0]!.closed
  })

  it('is aborted while it waits for another try', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const timers = watchTimers()
    server.script((connection) => connection.refuse(503, problem('draining', 503, true)))
    const waiting = signpost()
    const stopped = expectStopped(following({ retrying: waiting.reach }))
    await waiting.reached
    await until(() => timers.pending(100) === 1)
    stop.abort(enough)
    await stopped
    await server.connections[0]!.closed
    expect(server.connections).toHaveLength(1)
    expect(timers.pending(100)).toBe(0)
  })

  it('throws the reason though it is aborted when told of something', async () => {
    server.script((connection) => connection.say(begin('0:0'), batch('0:1', record(0, 0))))
    await expectStopped(following({ control: () => stop.abort(enough) }))
    await server.connections[0]!.closed
  })

  it('leaves no timer and no signal listener behind', async () => {
    server.script(silent)
    const timers = watchTimers()
    const reader = following()[Symbol.asyncIterator]()
    for (let k = 0; k < 5; k++) await reader.next()
    const waiting = reader.next()
    await until(() => timers.pending(40_000) === 1)
    await reader.return?.()
    await waiting
    expect(timers.pending(40_000)).toBe(0)
    await server.connections[0]!.closed
    expect(getEventListeners(stop.signal, 'abort')).toEqual([])
  })
})

/** What a user's program is: it ends by itself when nothing is left to wait for. */
const PROGRAM = `
  import { WebSocket } from 'ws'
  import { tail } from './src/client/index.ts'
  const url = process.argv.at(-1)
  for (const form of ['ndjson', 'sse', 'websocket']) {
    for await (const { offset } of tail(url, 'orders', { form, WebSocket })) if (offset === 4) break
    const stop = new AbortController()
    const control = ({ type }) => type === 'up_to_date' && setImmediate(() => stop.abort('enough'))
    try {
      for await (const _ of tail(url, 'orders', { form, WebSocket, control, signal: stop.signal }));
    } catch (error) {
      console.log(form, error)
    }
  }
`

it('a program ends when its tails have', async () => {
  server.script(...Array.from({ length: 6 }, () => silent))
  const options = ['--import', 'tsx', '--input-type=module', '--eval', PROGRAM, '--', server.url]
  const child = spawn(process.execPath, options, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += String(chunk)))
  const code = await new Promise((resolve) => child.on('close', resolve))
  expect(output).toBe('ndjson enough\nsse enough\nwebsocket enough\n')
  expect(code).toBe(0)
})
