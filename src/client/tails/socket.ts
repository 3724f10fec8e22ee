/** What is used of a WebSocket; those of browsers, of Node and of the package ws all have it. */
export interface WebSocketLike {
  addEventListener(type: 'open', listener: () => void): void
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void
  addEventListener(type: 'error', listener: (event: object) => void): void
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void
  send(text: string): void
  close(): void
}

/** The second argument: headers in Node, protocols in browsers. */
export type WebSocketConstructor = new (url: string, init?: never) => WebSocketLike

/** What a socket has brought, in order, until it closes or is given up. */
export class Inbox {
  readonly #texts: string[] = []
  #closed: Error | undefined
  #wake: () => void = () => undefined

  constructor(socket: WebSocketLike, signal: AbortSignal) {
    socket.addEventListener('message', ({ data }) => {
      this.#texts.push(String(data))
      this.#wake()
    })
    socket.addEventListener('error', (event) => this.#close(messageOf(event)))
    socket.addEventListener('close', ({ code, reason }) =>
      this.#close(`the WebSocket was closed with code ${code} ${reason}`.trimEnd()),
    )
    signal.addEventListener('abort', () => this.#close('it was given up'))
  }

  /** The next text, once it is there; throws why there will be none. */
  async next(): Promise<string> {
    while (true) {
      const text = this.#texts.shift()
      if (text !== undefined) return text
      if (this.#closed) throw this.#closed
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  /** The first reason counts: a close follows upon each error and says less. */
  #close(reason: string): void {
    this.#closed ??= new Error(reason)
    this.#wake()
  }
}

/** Browsers do not say what the error was. */
function messageOf(event: object): string {
  return 'message' in event && typeof event.message === 'string' && event.message !== ''
    ? event.message
    : 'the WebSocket failed'
}
