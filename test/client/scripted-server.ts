import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import { encode, type Form, type Message } from './messages.ts'

/** A server that says what a test has written down for it, one script a connection, in any of the forms. */
export type Script = (connection: Connection) => void | Promise<void>

const MEDIA = { ndjson: 'application/x-ndjson', sse: 'text/event-stream' }

export abstract class Connection {
  abstract readonly form: Form
  /** Settled when the connection is closed, by whomever. */
  abstract readonly closed: Promise<void>
  readonly path: string
  readonly query: Record<string, string>
  readonly headers: IncomingMessage['headers']

  constructor(request: IncomingMessage) {
    const url = new URL(request.url!, 'http://localhost')
    this.path = url.pathname
    this.query = Object.fromEntries(url.searchParams)
    this.headers = request.headers
  }

  /** The position that this connection goes on from, wherever its form puts it. */
  get position(): string | undefined {
    return this.form === 'sse'
      ? (this.headers['last-event-id'] as string | undefined)
      : this.query['from']
  }

  async say(...messages: Message[]): Promise<void> {
    for (const message of messages) {
      for (const text of encode(this.form, message)) await this.write(text)
    }
  }

  /** Text as it is: a chunk, or a message. Whether it arrives is the network's affair. */
  abstract write(text: string | Uint8Array): Promise<void>
  /** An HTTP answer instead of a tail. */
  abstract refuse(status: number, body: object, headers?: Record<string, string>): void
  /** As a network does it. */
  abstract cut(): void
  /** As a server does it. */
  abstract end(): void
}

class HttpConnection extends Connection {
  readonly form: Form
  readonly closed: Promise<void>
  readonly #response: ServerResponse

  constructor(request: IncomingMessage, response: ServerResponse) {
    super(request)
    this.form = request.headers.accept === MEDIA.sse ? 'sse' : 'ndjson'
    this.#response = response
    this.closed = new Promise((resolve) => response.on('close', resolve))
    response.on('error', () => undefined)
  }

  async write(text: string | Uint8Array): Promise<void> {
    if (!this.#response.headersSent) this.#head(MEDIA[this.form as 'sse'])
    await new Promise<void>((resolve) => this.#response.write(text, () => resolve()))
  }

  #head(media: string): void {
    this.#response.writeHead(200, { 'content-type': `${media}; charset=utf-8` }).flushHeaders()
  }

  refuse(status: number, body: object, headers: Record<string, string> = {}): void {
    const media = { 'content-type': 'application/problem+json' }
    this.#response.writeHead(status, { ...media, ...headers }).end(JSON.stringify(body))
  }

  cut(): void {
    this.#response.destroy()
  }

  end(): void {
    this.#response.end()
  }
}

export class SocketConnection extends Connection {
  readonly form = 'websocket'
  readonly closed: Promise<void>
  /** What the client said. */
  readonly commands: { type: string; records?: number }[] = []
  readonly #accept: () => WebSocket
  readonly #duplex: Duplex
  #accepted: WebSocket | undefined

  constructor(request: IncomingMessage, duplex: Duplex, accept: () => WebSocket) {
    super(request)
    this.#accept = accept
    this.#duplex = duplex
    this.closed = new Promise((resolve) => duplex.on('close', () => resolve()))
    duplex.on('error', () => undefined)
    // Until it is accepted nobody else sees it close.
    duplex.on('end', () => void duplex.end()).resume()
  }

  get socket(): WebSocket {
    if (this.#accepted) return this.#accepted
    const socket = (this.#accepted = this.#accept())
    socket.on('message', (data: Buffer) => this.commands.push(JSON.parse(String(data))))
    return socket
  }

  async write(text: string | Uint8Array): Promise<void> {
    await new Promise<void>((resolve) => this.socket.send(text, () => resolve()))
  }

  /** All that the client has said until now has arrived when this comes back. */
  async heard(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.socket.once('pong', () => resolve())
      this.socket.ping()
    })
  }

  refuse(status: number): void {
    this.#duplex.end(
      `HTTP/1.1 ${String(status)} No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    )
  }

  cut(): void {
    this.#duplex.destroy()
  }

  end(): void {
    this.socket.close(1000)
  }
}

export function socketOf(connection: Connection | undefined): SocketConnection {
  if (connection instanceof SocketConnection) return connection
  throw new TypeError('This connection is no WebSocket.')
}

export class ScriptedServer {
  /** Every connection since the scripts were given, in order. */
  readonly connections: Connection[] = []
  readonly #all: Connection[] = []
  #scripts: Script[] = []
  readonly #failures: unknown[] = []
  readonly #http = createServer((request, response) => {
    this.#play(new HttpConnection(request, response))
  })
  readonly #upgrader = new WebSocketServer({ noServer: true, maxPayload: 1e9 })

  static async start(): Promise<ScriptedServer> {
    const server = new ScriptedServer()
    server.#http.on('upgrade', (request, duplex, head) => server.#upgrade(request, duplex, head))
    await new Promise<void>((resolve) => server.#http.listen(0, '127.0.0.1', resolve))
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#http.address() as AddressInfo).port)}`
  }

  /** What to do with the next connections; one more than that is told that nobody expected it. */
  script(...scripts: Script[]): void {
    this.#scripts = scripts
    this.connections.length = 0
  }

  #upgrade(request: IncomingMessage, duplex: Duplex, head: Buffer): void {
    const accept = () => {
      let accepted: WebSocket | undefined
      // It calls back before it returns.
      this.#upgrader.handleUpgrade(request, duplex, head, (socket) => (accepted = socket))
      return accepted!
    }
    this.#play(new SocketConnection(request, duplex, accept))
  }

  #play(connection: Connection): void {
    this.connections.push(connection)
    this.#all.push(connection)
    const script = this.#scripts.shift() ?? unexpected
    Promise.resolve(connection)
      .then(script)
      .catch((error: unknown) => this.#failures.push(error))
  }

  /** Throws what went wrong in a script. */
  async stop(): Promise<void> {
    for (const connection of this.#all) connection.cut()
    this.#http.closeAllConnections()
    await new Promise((resolve) => this.#http.close(resolve))
    if (this.#failures.length > 0) throw new AggregateError(this.#failures, 'scripts failed')
  }
}

async function unexpected(connection: Connection): Promise<void> {
  await connection.say({
    type: 'problem',
    code: 'unexpected',
    status: 500,
    title: 'Unexpected',
    detail: 'This connection is in no script.',
    hint: 'Look at why there is another one.',
    retriable: false,
    position: '',
  })
}
