import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LIMITS } from '../../src/contract/limits.ts'
import { produce } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { openTail, type TailReader } from '../support/tail-reader.ts'
import {
  BINARY,
  CLOSE,
  frame,
  openRawWebSocket,
  PING,
  PONG,
  TEXT,
  type RawWebSocket,
} from '../support/websocket-frames.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await produce(server.url, 'log', [{ value: 'first' }])
})
afterAll(() => server.stop())

let sentinels = 0
/** A tail of somebody else's on the same server goes on undisturbed. */
async function expectUndisturbed(tail: TailReader): Promise<void> {
  const value = `sentinel ${String(++sentinels)}`
  await produce(server.url, 'log', [{ value }])
  expect(await tail.records(1)).toMatchObject([{ value }])
}

const RESUME = '{"type":"resume"}'
const times = (count: number, bytes: Buffer) =>
  Buffer.concat(Array.from({ length: count }, () => bytes))

async function open(): Promise<{ socket: RawWebSocket; other: TailReader }> {
  const other = await openTail(server.url, 'ndjson', '/v1/topics/log/tail')
  await other.upTo('up_to_date')
  const socket = await openRawWebSocket(server.url, '/v1/topics/log/tail')
  return { socket, other }
}

describe('a WebSocket client that breaks the protocol', () => {
  it.each<[string, number, Buffer]>([
    ['a frame without a mask', 1002, frame(TEXT, RESUME, { masked: false })],
    ['the first reserved bit', 1002, frame(TEXT, RESUME, { reserved: 4 })],
    ['the second reserved bit', 1002, frame(TEXT, RESUME, { reserved: 2 })],
    ['the third reserved bit', 1002, frame(TEXT, RESUME, { reserved: 1 })],
    ['an unknown opcode', 1002, frame(3, RESUME)],
    ['an unknown control opcode', 1002, frame(11, '')],
    ['a continuation of nothing', 1002, frame(0, RESUME)],
    [
      'a message inside another',
      1002,
      Buffer.concat([frame(TEXT, '{', { fin: false }), frame(TEXT, RESUME)]),
    ],
    ['a ping in pieces', 1002, frame(PING, '', { fin: false })],
    ['a ping that is too long', 1002, frame(PING, 'x'.repeat(126))],
    ['a close of one byte', 1002, frame(CLOSE, 'x')],
    ['a close code that may not be sent', 1002, frame(CLOSE, Buffer.from([3, 237]))],
    ['text that is not UTF-8', 1007, frame(TEXT, Buffer.from([0x22, 0xc3, 0x28, 0x22]))],
    ['half a character', 1007, frame(TEXT, Buffer.from([0xf0, 0x9f, 0x98]))],
    ['a reason that is not UTF-8', 1007, frame(CLOSE, Buffer.from([3, 232, 0xff]))],
    ['a message that is too long', 1009, frame(TEXT, 'x'.repeat(LIMITS.command_bytes + 1))],
    ['the head of a huge message', 1009, frame(TEXT, '', { length: 2 ** 40 })],
    ['the head of an impossible message', 1009, frame(BINARY, '', { length: 2 ** 60 })],
    [
      'a long message in pieces',
      1009,
      Buffer.concat([
        frame(TEXT, 'x'.repeat(4000), { fin: false }),
        times(9, frame(0, 'x'.repeat(100), { fin: false })),
      ]),
    ],
    [
      'a message in endless pieces',
      1008,
      Buffer.concat([frame(TEXT, '{', { fin: false }), times(1000, frame(0, '', { fin: false }))]),
    ],
  ])('%s is closed with %i', async (_, code, bytes) => {
    const { socket, other } = await open()
    socket.send(bytes)
    const farewell = await socket.farewell()
    expect(farewell.code).toBe(code)
    await expectUndisturbed(other)
  })

  it('a head that never ends is waited for, and hurts nobody', async () => {
    const { socket, other } = await open()
    for (const byte of frame(TEXT, 'x'.repeat(200)).subarray(0, 50)) socket.send(Buffer.of(byte))
    await expectUndisturbed(other)
    socket.socket.destroy()
    await expectUndisturbed(other)
  })
})

describe('a WebSocket client that says what is not known', () => {
  it.each<[string, Buffer]>([
    ['nothing', frame(TEXT, '')],
    ['what is not JSON', frame(TEXT, 'resume')],
    ['JSON that is cut off', frame(TEXT, '{"type":"resume"')],
    ['no object', frame(TEXT, '"resume"')],
    ['null', frame(TEXT, 'null')],
    ['an array', frame(TEXT, `[${RESUME}]`)],
    ['no type', frame(TEXT, '{}')],
    ['a type that is not known', frame(TEXT, '{"type":"rewind"}')],
    ['a type with more', frame(TEXT, '{"type":"pause","for":1}')],
    ['credit without a number', frame(TEXT, '{"type":"credit"}')],
    ['no credit', frame(TEXT, '{"type":"credit","records":0}')],
    ['negative credit', frame(TEXT, '{"type":"credit","records":-1}')],
    ['half a record', frame(TEXT, '{"type":"credit","records":1.5}')],
    ['credit as text', frame(TEXT, '{"type":"credit","records":"1"}')],
    ['too much credit', frame(TEXT, '{"type":"credit","records":1000000001}')],
    ['infinite credit', frame(TEXT, '{"type":"credit","records":1e400}')],
    ['deep nesting', frame(TEXT, '['.repeat(4000))],
    ['a prototype', frame(TEXT, '{"__proto__":{"type":"pause"}}')],
    ['a binary message', frame(BINARY, RESUME)],
    ['an empty binary message', frame(BINARY, '')],
  ])('%s is told so, with the position, and closed', async (_, bytes) => {
    const { socket, other } = await open()
    // It has begun, so that there is a position.
    expect(JSON.parse((await socket.read())!.payload.toString())).toMatchObject({ type: 'begin' })
    socket.send(bytes)
    const { code, messages } = await socket.farewell()
    expect(code).toBe(1008)
    expect(JSON.parse(messages.at(-1)!)).toMatchObject({
      type: 'problem',
      code: 'invalid_request',
      status: 400,
      position: expect.stringMatching(/^0:\d+$/),
      errors: [{ in: 'body', pointer: '', detail: expect.any(String) }],
    })
    await expectUndisturbed(other)
  })

  it('is told even if it says so before it could have heard anything', async () => {
    const { socket, other } = await open()
    socket.send(times(3, frame(TEXT, 'nonsense')))
    const { code, messages } = await socket.farewell()
    expect(code).toBe(1008)
    expect(JSON.parse(messages.at(-1)!)).toMatchObject({ type: 'problem', code: 'invalid_request' })
    await expectUndisturbed(other)
  })
})

describe('a WebSocket client that says too much', () => {
  it.each<[string, Buffer]>([
    ['messages', times(5_000, frame(TEXT, RESUME))],
    ['pings', times(5_000, frame(PING, 'x'.repeat(125)))],
    ['pongs nobody asked for', times(5_000, frame(PONG, ''))],
    [
      'messages in small pieces',
      times(
        1_000,
        Buffer.concat([
          frame(TEXT, '{"type":', { fin: false }),
          frame(0, '"resume"', { fin: false }),
          frame(0, '}'),
        ]),
      ),
    ],
  ])('%s is told so and closed', async (_, bytes) => {
    const { socket, other } = await open()
    socket.send(bytes)
    const { code, messages } = await socket.farewell()
    expect(code).toBe(1008)
    expect(JSON.parse(messages.at(-1)!)).toMatchObject({ type: 'problem', code: 'invalid_request' })
    await expectUndisturbed(other)
  })

  it('and does not stop is cut off', async () => {
    const { socket, other } = await open()
    const flood = times(1_000, frame(PING, 'x'.repeat(100)))
    const isOver = new Promise<void>((resolve) => socket.socket.on('close', () => resolve()))
    const pump = (error?: Error | null) => {
      if (!error) socket.socket.write(flood, pump)
    }
    pump()
    await expectUndisturbed(other)
    await isOver
    await expectUndisturbed(other)
  })
})

describe('a WebSocket client within its bounds', () => {
  it('may ping, and is answered with what it sent', async () => {
    const { socket } = await open()
    socket.send(frame(PING, 'hello'), frame(PING, ''))
    const pongs: string[] = []
    while (pongs.length < 2) {
      const one = (await socket.read())!
      if (one.opcode === PONG) pongs.push(one.payload.toString())
    }
    expect(pongs).toEqual(['hello', ''])
  })

  it('may send a message in pieces, byte by byte, with pings between them', async () => {
    const { socket } = await open()
    await produce(server.url, 'log', [{ value: 'before the pause' }])
    const command = '{"type":"pause"}'
    const pieces = [
      frame(TEXT, command.slice(0, 5), { fin: false }),
      frame(PING, 'between'),
      frame(0, command.slice(5, 10), { fin: false }),
      frame(0, command.slice(10)),
      frame(PING, 'paused'),
    ]
    for (const byte of Buffer.concat(pieces)) socket.send(Buffer.of(byte))
    for (let one = await socket.read(); one?.payload.toString() !== 'paused';) {
      expect(one?.opcode).not.toBe(CLOSE)
      one = await socket.read()
    }
  })

  it('may close with a code of its own, which comes back', async () => {
    const { socket } = await open()
    socket.send(frame(CLOSE, Buffer.from([0x0b, 0xb8, 0x62, 0x79, 0x65])))
    expect((await socket.farewell()).code).toBe(3000)
    expect(await socket.read()).toBeUndefined()
  })

  it('may say as much as a message may hold', async () => {
    const { socket } = await open()
    const command = RESUME.replace('{', `{${' '.repeat(LIMITS.command_bytes - RESUME.length)}`)
    socket.send(frame(TEXT, command), frame(PING, 'alive'))
    for (let one = await socket.read(); one?.payload.toString() !== 'alive';) {
      expect(one?.opcode).not.toBe(CLOSE)
      one = await socket.read()
    }
  })
})
