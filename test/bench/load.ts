import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/**
 * A load generator over raw sockets: requests are bytes made beforehand, answers are only measured. On a
 * small machine a full HTTP client would be the bottleneck, and would hide what the server costs.
 */

export interface Load {
  port: number
  connections: number
  seconds: number
  /** The next request of a connection, as bytes on the wire. */
  request: (connection: number) => Buffer
  /** Called with each answer's body; the buffer is only valid during the call. */
  answered?: (connection: number, body: Buffer) => void
}

export interface LoadResult {
  requests_per_s: number
  requests: number
  /** Milliseconds from request to whole answer. */
  p50_ms: number
  p99_ms: number
}

/** A POST as bytes. */
export function post(path: string, contentType: string, body: Buffer | string): Buffer {
  const bytes = Buffer.from(body)
  const head = [
    `POST ${path} HTTP/1.1`,
    'host: bench',
    `content-type: ${contentType}`,
    `content-length: ${String(bytes.length)}`,
    '',
    '',
  ].join('\r\n')
  return Buffer.concat([Buffer.from(head), bytes])
}

export function get(path: string): Buffer {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nhost: bench\r\n\r\n`)
}

/** Keeps every connection busy with one request at a time; throws at the first answer that is no success. */
export async function run(load: Load): Promise<LoadResult> {
  const latencies: number[] = []
  const end = performance.now() + load.seconds * 1000
  const started = performance.now()
  await Promise.all(
    Array.from({ length: load.connections }, (_, connection) =>
      client(load, connection, end, latencies),
    ),
  )
  const elapsed = (performance.now() - started) / 1000
  latencies.sort((a, b) => a - b)
  return {
    requests: latencies.length,
    requests_per_s: latencies.length / elapsed,
    p50_ms: latencies[Math.floor(latencies.length * 0.5)] ?? 0,
    p99_ms: latencies[Math.floor(latencies.length * 0.99)] ?? 0,
  }
}

function client(load: Load, connection: number, end: number, latencies: number[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(load.port, '127.0.0.1')
    socket.setNoDelay(true)
    const answer = new AnswerReader((body) => {
      latencies.push(performance.now() - sent)
      load.answered?.(connection, body)
      if (performance.now() < end) next()
      else socket.end(resolve)
    })
    let sent = 0
    const next = () => {
      sent = performance.now()
      socket.write(load.request(connection))
    }
    socket.on('connect', next)
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      try {
        answer.take(chunk)
      } catch (error) {
        socket.destroy(error as Error)
      }
    })
  })
}

/** One connection that sends one request at a time. */
export class Poster {
  readonly #socket: Socket
  #answered: (() => void) | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    const answer = new AnswerReader(() => this.#answered?.())
    socket.on('data', (chunk) => answer.take(chunk))
  }

  static async open(port: number): Promise<Poster> {
    const socket = connect(port, '127.0.0.1')
    socket.setNoDelay(true)
    await once(socket, 'connect')
    return new Poster(socket)
  }

  async send(request: Buffer): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#answered = resolve
      this.#socket.write(request)
    })
  }

  close(): void {
    this.#socket.destroy()
  }
}

const HEAD_END = Buffer.from('\r\n\r\n')

/** Finds the end of each answer by its Content-Length. */
class AnswerReader {
  readonly #done: (body: Buffer) => void
  #chunks: Buffer[] = []
  #bytes = 0
  #wanted = 0
  #headLength = 0

  constructor(done: (body: Buffer) => void) {
    this.#done = done
  }

  take(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.#wanted === 0) this.#readHead()
    if (this.#wanted === 0 || this.#bytes < this.#wanted) return
    const whole = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks)
    const body = whole.subarray(this.#headLength, this.#wanted)
    this.#chunks = []
    this.#bytes = 0
    this.#wanted = 0
    this.#done(body)
  }

  #readHead(): void {
    const start = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks)
    const end = start?.indexOf(HEAD_END) ?? -1
    if (!start || end === -1) return
    const head = start.toString('latin1', 0, end)
    if (!head.startsWith('HTTP/1.1 20'))
      throw new Error(`unexpected answer: ${start.toString().slice(0, 600)}`)
    this.#headLength = end + HEAD_END.length
    this.#wanted = this.#headLength + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
  }
}
