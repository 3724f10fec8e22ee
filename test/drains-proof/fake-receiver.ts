import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { StoredLine } from './stored-lines.ts'

/** How receivers of logs are built, well and badly; see log drains in the wild. */
export type Kind =
  | 'good'
  /** Answers, and stores afterwards. */
  | 'answers_first'
  /** Knows a frame again by its bytes. */
  | 'dedupes_by_body'
  /** Says that it has trouble, at once. */
  | 'says_503'
  /** Answers with a body in chunks. */
  | 'answers_chunked'

/** What goes wrong with a request, whatever the receiver does. */
export type Mishap = 'cut_before' | 'cut_after' | 'trouble'

/** Stores lines in memory, in one partition. What befalls which request is said before it comes. */
export class FakeReceiver {
  readonly stored: StoredLine[] = []
  readonly #kind: Kind
  readonly #seen = new Set<string>()
  readonly #sockets = new Set<Socket>()
  readonly #mishaps: Mishap[]
  readonly #server = createServer((request, response) => void this.#receive(request, response))

  private constructor(kind: Kind, mishaps: readonly Mishap[]) {
    this.#kind = kind
    this.#mishaps = [...mishaps]
    this.#server.keepAliveTimeout = 175_000
    this.#server.on('connection', (socket) => this.#sockets.add(socket))
  }

  /** The first requests meet these mishaps, in this order. */
  static async open(kind: Kind, mishaps: readonly Mishap[] = []): Promise<FakeReceiver> {
    const receiver = new FakeReceiver(kind, mishaps)
    receiver.#server.listen(0, '127.0.0.1')
    await once(receiver.#server, 'listening')
    return receiver
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}/drains/shop`
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request).catch(() => undefined)
    if (!body) return
    const mishap = this.#mishaps.shift()
    if (mishap === 'cut_before') request.socket.destroy()
    else if (mishap === 'trouble') this.#trouble(request, body, response)
    else {
      this.#store(request, body)
      if (mishap === 'cut_after') request.socket.destroy()
      else this.#answer(response)
    }
  }

  /** The database is away for a moment. A good one waits until it is back. */
  #trouble(request: IncomingMessage, body: Buffer, response: ServerResponse): void {
    if (this.#kind === 'says_503') response.writeHead(503).end()
    else if (this.#kind === 'answers_first') this.#answer(response)
    else {
      this.#store(request, body)
      this.#answer(response)
    }
  }

  #answer(response: ServerResponse): void {
    if (this.#kind !== 'answers_chunked') response.writeHead(204).end()
    else {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write('{"ok"')
      response.end(':true}')
    }
  }

  #store(request: IncomingMessage, body: Buffer): void {
    const hash = createHash('sha256').update(body).digest('hex')
    const id = this.#kind === 'dedupes_by_body' ? hash : String(request.headers['logplex-frame-id'])
    if (this.#seen.has(id)) return
    this.#seen.add(id)
    for (const message of messagesOf(body)) {
      const [, lost] = /^Error L10 .*: (\d+) messages dropped/.exec(message) ?? []
      const dropped = lost === undefined ? undefined : Number(lost)
      this.stored.push({ partition: 0, offset: this.stored.length, key: '', message, dropped })
    }
  }
}

/** The texts of a body's messages, behind their heads. */
function messagesOf(body: Buffer): string[] {
  const messages: string[] = []
  for (let at = 0; at < body.length;) {
    const start = body.indexOf(' ', at) + 1
    const end = start + Number(body.toString('latin1', at, start))
    messages.push(body.toString('utf8', start, end).replace(/^(?:\S+ ){6}/, ''))
    at = end
  }
  return messages
}
