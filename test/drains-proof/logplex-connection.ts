import { connect, type Socket } from 'node:net'

/** What came of a request: a status, or nothing that could be read as one. */
export type Answer = number | 'closed' | 'timeout' | 'garbage'

const CONNECT_MS = 3_000
const REQUEST_MS = 5_000
/** Its process is killed so long after it was told to close, which it hears only when it does not wait. */
const KILL_MS = 1_000
const STATUS_LINE = /^HTTP\/1\.[01] (\d{3}) [^\r\n]*$/

/**
 * One kept-alive connection of a Logplex node (logplex_http_client.erl over cowboy_client.erl), with its gaps: nobody
 * looks at it between two requests, so that a close is found out by the next one; and a body is skipped only where
 * Content-Length says how long it is, or else its bytes are read as the next answer.
 */
export class LogplexConnection {
  readonly #socket: Socket
  #received = Buffer.alloc(0)
  #toSkip = 0
  #isClosed = false
  #waiting: ((answer: Answer) => void) | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#look()
    })
    for (const event of ['end', 'close']) socket.on(event, () => this.#closed())
    socket.on('error', () => undefined)
  }

  /** Undefined where the connection is not taken in time. */
  static open(url: URL): Promise<LogplexConnection | undefined> {
    return new Promise((resolve) => {
      const options = { host: url.hostname, port: Number(url.port), allowHalfOpen: true }
      const socket = connect(options)
      const late = setTimeout(() => socket.destroy(), CONNECT_MS)
      const failed = () => {
        clearTimeout(late)
        resolve(undefined)
      }
      socket.on('error', () => undefined)
      socket.once('close', failed)
      socket.once('connect', () => {
        clearTimeout(late)
        socket.off('close', failed)
        resolve(new LogplexConnection(socket))
      })
    })
  }

  /** Sends a request, whole, and waits for the head of its answer. */
  request(bytes: Buffer): Promise<Answer> {
    if (this.#isClosed) return Promise.resolve('closed')
    return new Promise((resolve) => {
      const late = setTimeout(() => this.#answer('timeout'), REQUEST_MS)
      this.#waiting = (answer) => {
        clearTimeout(late)
        resolve(answer)
      }
      this.#socket.write(bytes)
      this.#look()
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  /** After a time-out the connection stays for a while: the server may still answer on it, to nobody. */
  abandon(): void {
    setTimeout(() => this.#socket.destroy(), KILL_MS)
  }

  #closed(): void {
    this.#isClosed = true
    this.#answer('closed')
  }

  #answer(answer: Answer): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.(answer)
  }

  /** Reads the head of an answer, if somebody waits for one and it is there. */
  #look(): void {
    if (!this.#waiting) return
    const skipped = Math.min(this.#toSkip, this.#received.length)
    this.#toSkip -= skipped
    this.#received = this.#received.subarray(skipped)
    const text = this.#received.toString('latin1')
    const status = STATUS_LINE.exec(text.slice(0, Math.max(text.indexOf('\r\n'), 0)))
    if (!status && text.includes('\r\n')) this.#answer('garbage')
    const end = text.indexOf('\r\n\r\n')
    if (!status || end === -1) return
    this.#received = this.#received.subarray(end + 4)
    this.#toSkip = Number(/^content-length: *(\d+)/im.exec(text.slice(0, end))?.[1] ?? 0)
    this.#answer(Number(status[1]))
  }
}
