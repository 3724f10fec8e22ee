import type { FastifyRequest } from 'fastify'
import type { WebSocket } from '@fastify/websocket'
import { LIMITS } from '../../contract/limits.ts'
import { invalidField, type ProblemError } from '../../contract/problem-error.ts'
import { logFailure } from '../failure-log.ts'
import { asProblem } from '../problem-json.ts'
import { StallWatch } from './stall.ts'
import { slowConsumer } from './text-tail.ts'

/** Close codes (RFC 6455, 7.4; 1012 and 1013 from the IANA registry). */
export const CLOSE = {
  normal: 1000,
  refused: 1008,
  internal: 1011,
  restarting: 1012,
  try_again: 1013,
} as const

/** How long a closing connection may take to say goodbye. */
const GOODBYE_MS = 5_000
/** A client that has answered neither of two pings is gone. */
const PINGS = 2

/** What a connection is for. */
export interface SocketUse {
  /** A message of the client's, parsed; undefined where it is no JSON. What it throws ends the connection. */
  take: (message: unknown) => void
  /** Undefined while there is nothing to say yet. */
  heartbeat: () => string | undefined
  /** The message that says why it ends. */
  problem: (problem: ProblemError) => string
}

/** One WebSocket: one message under way at a time, heartbeats, bounds on what the client may say, a last word. */
export class TailSocket {
  readonly #socket: WebSocket
  readonly #request: FastifyRequest
  readonly #use: SocketUse
  readonly #abort = new AbortController()
  readonly #timer: NodeJS.Timeout
  readonly #stall: StallWatch
  #sent: (() => void) | undefined
  #unanswered = 0
  #frames = 0
  #second = 0

  /** To be made at once, as messages may follow the upgrade immediately. */
  constructor(socket: WebSocket, request: FastifyRequest, use: SocketUse) {
    this.#socket = socket
    this.#request = request
    this.#use = use
    socket.on('close', () => this.#abort.abort())
    socket.on('message', (data: Buffer, isBinary) => this.#take(data, isBinary))
    socket.on('ping', (data: Buffer) => {
      if (this.#isWithinRate()) socket.pong(data)
    })
    socket.on('pong', () => {
      this.#unanswered = 0
      this.#isWithinRate()
    })
    this.#stall = new StallWatch(request.raw.socket)
    request.raw.socket.on('timeout', () => {
      if (this.#sent && this.#stall.isOver()) this.fail(slowConsumer())
    })
    this.#timer = setInterval(() => this.#beat(), LIMITS.tail_heartbeat_ms)
    this.#abort.signal.addEventListener('abort', () => {
      clearInterval(this.#timer)
      this.#sent?.()
    })
  }

  /** Aborted when the connection is over. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** The last message says why, and where to go on; the close code says it to those who read no messages. */
  fail(error: unknown): void {
    const problem = asProblem(error)
    if (problem.code === 'internal_error') logFailure(this.#request.log, problem, this.#request.id)
    if (this.#socket.readyState === this.#socket.OPEN) {
      this.#socket.send(this.#use.problem(problem))
    }
    this.close(closeCode(problem), problem.code)
  }

  close(code: number, reason: string): void {
    this.#abort.abort()
    // First, as close() has a timer of its own, without a reset.
    this.resetSoon()
    this.#socket.close(code, reason)
  }

  /** However little the reader takes, it does not hold up the server for long; why a reset, see text-tail.ts. */
  resetSoon(): void {
    setTimeout(() => this.#request.raw.socket.resetAndDestroy(), GOODBYE_MS).unref()
  }

  /** Resolves when the message is with the system, or the connection is over. */
  async send(message: string | Buffer): Promise<void> {
    // One that is closing takes no more, and the log would be read on for nobody.
    if (this.#socket.readyState !== this.#socket.OPEN) this.#abort.abort()
    if (this.signal.aborted) return
    this.#stall.restart()
    await new Promise<void>((resolve) => {
      this.#sent = resolve
      this.#socket.send(message, { binary: false }, () => resolve())
    })
    this.#sent = undefined
  }

  /** Something short, beside what may be under way. */
  say(message: string): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(message)
  }

  #beat(): void {
    if (this.#unanswered >= PINGS) {
      this.#socket.terminate()
      return
    }
    if (this.#sent || this.#socket.readyState !== this.#socket.OPEN) return
    this.#unanswered++
    this.#socket.ping()
    const heartbeat = this.#use.heartbeat()
    if (heartbeat !== undefined) this.#socket.send(heartbeat)
  }

  #take(data: Buffer, isBinary: boolean): void {
    if (!this.#isWithinRate()) return
    try {
      this.#use.take(isBinary ? undefined : parseJson(data))
    } catch (error) {
      this.fail(error)
    }
  }

  #isWithinRate(): boolean {
    const second = Math.floor(performance.now() / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#frames = 0
    }
    if (++this.#frames <= LIMITS.commands_per_s) return true
    if (!this.signal.aborted) this.fail(flooded())
    // The rest is left unread. To cut the connection now would take back the words that say why.
    this.#socket.pause()
    return false
  }
}

function flooded(): ProblemError {
  const detail = `more than ${String(LIMITS.commands_per_s)} messages or pings within a second`
  return invalidField('body', '', detail)
}

function parseJson(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString()) as unknown
  } catch {
    return undefined
  }
}

function closeCode(problem: ProblemError): number {
  if (problem.code === 'internal_error') return CLOSE.internal
  return problem.status >= 500 || problem.status === 429 ? CLOSE.try_again : CLOSE.refused
}
