import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** Frames of WebSockets (RFC 6455, 5.2) made by hand, for what no client library would send. */

export const TEXT = 1
export const BINARY = 2
export const CLOSE = 8
export const PING = 9
export const PONG = 10

export interface Frame {
  opcode: number
  payload: Buffer
}

interface FrameOptions {
  fin?: boolean
  /** The reserved bits, 0 to 7. */
  reserved?: number
  masked?: boolean
  /** Says this length instead of the payload's. */
  length?: number
}

const MASK = Buffer.from([1, 2, 3, 4])

export function frame(
  opcode: number,
  payload: string | Buffer = '',
  { fin = true, reserved = 0, masked = true, length }: FrameOptions = {},
): Buffer {
  const bytes = Buffer.from(payload)
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode
  const head = Buffer.concat([Buffer.of(first), lengthBytes(length ?? bytes.length, masked)])
  if (!masked) return Buffer.concat([head, bytes])
  for (let k = 0; k < bytes.length; k++) bytes[k]! ^= MASK[k % 4]!
  return Buffer.concat([head, MASK, bytes])
}

function lengthBytes(length: number, masked: boolean): Buffer {
  const mask = masked ? 0x80 : 0
  if (length < 126) return Buffer.of(mask | length)
  const bytes = Buffer.alloc(length < 65_536 ? 3 : 9)
  bytes[0] = mask | (length < 65_536 ? 126 : 127)
  if (length < 65_536) bytes.writeUInt16BE(length, 1)
  else bytes.writeBigUInt64BE(BigInt(length), 1)
  return bytes
}

/** A WebSocket as bytes; what the server says is read frame by frame. */
export class RawWebSocket {
  readonly socket: Socket
  readonly #frames: AsyncGenerator<Frame>

  constructor(socket: Socket, received: Received) {
    this.socket = socket
    this.#frames = framesOf(received)
  }

  send(...bytes: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(bytes))
  }

  /** The next frame; undefined where the server has cut the connection. */
  async read(): Promise<Frame | undefined> {
    const { value, done } = await this.#frames.next()
    return done ? undefined : value
  }

  /** The messages up to the server's close, and its code; undefined where it cut the connection. */
  async farewell(): Promise<{ code: number | undefined; messages: string[] }> {
    const messages: string[] = []
    for (let one = await this.read(); one; one = await this.read()) {
      if (one.opcode === TEXT) messages.push(one.payload.toString())
      if (one.opcode === CLOSE) return { code: one.payload.readUInt16BE(0), messages }
    }
    return { code: undefined, messages }
  }
}

/** Opens a WebSocket by hand; it is cut with the test. */
export async function openRawWebSocket(url: string, path: string): Promise<RawWebSocket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  onTestFinished(() => void socket.destroy())
  // A server that has closed may cut us off while we still write.
  socket.on('error', () => undefined)
  const received = new Received(socket)
  const head = [
    `GET ${path} HTTP/1.1`,
    'Host: localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  const answer = (await received.line()).toString()
  if (!answer.startsWith('HTTP/1.1 101 ')) throw new Error(answer)
  while ((await received.line()).length > 0);
  return new RawWebSocket(socket, received)
}

/** Bytes as they arrive, to be taken in portions. */
class Received {
  readonly #chunks: AsyncIterator<Buffer>
  #left: Buffer = Buffer.alloc(0)

  constructor(socket: Socket) {
    this.#chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  }

  /** So many bytes; undefined where the connection ends before. */
  async take(count: number): Promise<Buffer | undefined> {
    while (this.#left.length < count) if (!(await this.#more())) return undefined
    const taken = this.#left.subarray(0, count)
    this.#left = this.#left.subarray(count)
    return taken
  }

  /** Up to the next CRLF. */
  async line(): Promise<Buffer> {
    for (;;) {
      const end = this.#left.indexOf('\r\n')
      if (end >= 0) return ((await this.take(end + 2)) ?? this.#left).subarray(0, end)
      if (!(await this.#more())) throw new Error('the connection ended')
    }
  }

  async #more(): Promise<boolean> {
    // A connection that was reset is over too.
    const next = await this.#chunks.next().catch(() => ({ done: true as const, value: undefined }))
    if (next.done) return false
    this.#left = Buffer.concat([this.#left, next.value])
    return true
  }
}

async function* framesOf(received: Received): AsyncGenerator<Frame> {
  for (;;) {
    const head = await received.take(2)
    if (!head) return
    const short = head[1]! & 0x7f
    const long = short < 126 ? undefined : await received.take(short === 126 ? 2 : 8)
    const length = long ? Number(`0x${long.toString('hex')}`) : short
    const payload = await received.take(length)
    if (!payload) return
    yield { opcode: head[0]! & 0x0f, payload }
  }
}
