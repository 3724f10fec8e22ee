import type { TailCommand } from '../../contract/tails.ts'
import { urlOf } from '../call.ts'
import {
  parseMessage,
  type TailBatch,
  type TailForm,
  type TailMessage,
  type TailRequest,
} from './connection.ts'
import { Inbox, type WebSocketConstructor, type WebSocketLike } from './socket.ts'

/** Records that may be under way or wait here. A socket cannot be read more slowly, so the server is told. */
const CREDIT = 1000
/** The most records that are handed on before it is asked whether to grant more. */
const PART = CREDIT / 2
/** The server takes 100 messages a second: a reader who would say something more often gets more credit. */
const GRANT_INTERVAL_MS = 25

/** A tail as messages of a WebSocket. */
export function webSocketForm(given: WebSocketConstructor | undefined): TailForm {
  const WebSocket = given ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket
  if (!WebSocket) {
    throw new Error(
      'There is no WebSocket here: pass one as the option WebSocket, e.g. that of the package ws.',
    )
  }
  return async function* (request, lifeline) {
    const socket = connect(WebSocket, request)
    try {
      const inbox = new Inbox(socket, lifeline.signal)
      const credit = new Credit(socket)
      while (true) {
        const message = parseMessage(await lifeline.arrival(inbox.next())) as TailMessage
        if (message.type === 'records') yield* credit.spend(message)
        else yield message
      }
    } finally {
      socket.close()
    }
  }
}

function connect(WebSocket: WebSocketConstructor, request: TailRequest): WebSocketLike {
  const { base, route, params, query, position, headers } = request
  const asked = { ...query, from: position ?? query['from'], credit: CREDIT }
  const url = urlOf(base, route, { params, query: asked }).replace(/^http/, 'ws')
  // Browsers take protocols in this place, and throw for headers.
  return Object.keys(headers).length === 0
    ? new WebSocket(url)
    : new WebSocket(url, { headers } as never)
}

/**
 * Gives the server credit as records are consumed: whenever half of it is, so that the other half is under
 * way meanwhile. Grows with the reader's speed, to what is consumed in some 50 to 100 ms.
 */
class Credit {
  readonly #socket: WebSocketLike
  #credit = CREDIT
  #consumed = 0
  #grantedAt = -Infinity

  constructor(socket: WebSocketLike) {
    this.#socket = socket
  }

  /** Hands a batch on in parts, so that a large one does not hold back its credit until its end. */
  *spend({ records, position }: TailBatch): Generator<TailBatch> {
    for (let k = 0; k < records.length; k += PART) {
      const part = records.slice(k, k + PART)
      const isLast = k + PART >= records.length
      yield { type: 'records', records: part, position: isLast ? position : undefined }
      // Whoever comes back for more has consumed these.
      this.#consume(part.length)
    }
  }

  #consume(count: number): void {
    this.#consumed += count
    if (this.#consumed < this.#credit / 2) return
    const now = performance.now()
    const more = now - this.#grantedAt < GRANT_INTERVAL_MS ? this.#credit : 0
    const grant: TailCommand = { type: 'credit', records: this.#consumed + more }
    this.#socket.send(JSON.stringify(grant))
    this.#credit += more
    this.#consumed = 0
    this.#grantedAt = now
  }
}
