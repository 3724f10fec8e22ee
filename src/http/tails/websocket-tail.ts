import type { FastifyRequest } from 'fastify'
import type { WebSocket } from '@fastify/websocket'
import type { PageWriter, Tail } from '../../broker/tail.ts'
import { LIMITS } from '../../contract/limits.ts'
import type { ProblemError } from '../../contract/problem-error.ts'
import { invalidField } from '../../contract/problem-error.ts'
import { TailCommand } from '../../contract/tails.ts'
import { logFailure } from '../failure-log.ts'
import { asProblem, problemMessage } from '../problem-json.ts'
import { StallWatch } from './stall.ts'
import { WEBSOCKET_TAIL } from './tail-forms.ts'
import { slowConsumer } from './text-tail.ts'

/** Close codes (RFC 6455, 7.4; 1012 and 1013 from the IANA registry). */
const NORMAL = 1000
const REFUSED = 1008
const INTERNAL = 1011
const RESTARTING = 1012
const TRY_AGAIN = 1013

/** How long a closing connection may take to say goodbye. */
const GOODBYE_MS = 5_000
/** A client that has answered neither of two pings is gone. */
const PINGS = 2

/** A tail on a WebSocket. Made at once, as messages may follow the upgrade immediately. */
export class WebSocketTail {
  readonly #socket: WebSocket
  readonly #request: FastifyRequest
  readonly #abort = new AbortController()
  readonly #timer: NodeJS.Timeout
  readonly #stall: StallWatch
  #tail: Tail | undefined
  #credit: number
  #paused = false
  #sent: (() => void) | undefined
  #unanswered = 0
  #frames = 0
  #second = 0

  constructor(socket: WebSocket, request: FastifyRequest, credit: number | undefined) {
    this.#socket = socket
    this.#request = request
    this.#credit = credit ?? Infinity
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

  /** Sends the tail to its end. */
  async run(tail: Tail, write: PageWriter): Promise<void> {
    this.#tail = tail
    tail.whenDraining(() => this.#resetSoon())
    const allowance = () => (this.#paused ? 0 : Math.min(this.#credit, LIMITS.tail_page_records))
    let last = ''
    for (;;) {
      let event = await tail.next(write, allowance)
      if (!event) break
      last = event.type
      if (event.type === 'records') this.#credit -= event.page.record_count
      const message =
        event.type === 'records'
          ? WEBSOCKET_TAIL.records(event)
          : (WEBSOCKET_TAIL.control(event) ?? '')
      // Or its text would be kept beside the message for as long as the reader takes nothing.
      event = undefined
      await this.#send(message)
    }
    this.#close(last === 'draining' ? RESTARTING : NORMAL, last)
  }

  /** The last message says why, and where to go on; the close code says it to those who read no messages. */
  fail(error: unknown): void {
    const problem = asProblem(error)
    if (problem.code === 'internal_error') logFailure(this.#request.log, problem, this.#request.id)
    const message = problemMessage(problem, this.#request.id, this.#tail?.position ?? '')
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(message))
    this.#close(closeCode(problem), problem.code)
  }

  #close(code: number, reason: string): void {
    this.#abort.abort()
    // First, as close() has a timer of its own, without a reset.
    this.#resetSoon()
    this.#socket.close(code, reason)
  }

  /** However little the reader takes, it does not hold up the server for long; why a reset, see text-tail.ts. */
  #resetSoon(): void {
    setTimeout(() => this.#request.raw.socket.resetAndDestroy(), GOODBYE_MS).unref()
  }

  /** Resolves when the message is with the system, or the connection is over. */
  async #send(message: string | Buffer): Promise<void> {
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

  #beat(): void {
    if (this.#unanswered >= PINGS) {
      this.#socket.terminate()
      return
    }
    if (this.#sent || this.#socket.readyState !== this.#socket.OPEN) return
    this.#unanswered++
    this.#socket.ping()
    if (this.#tail) this.#socket.send(WEBSOCKET_TAIL.heartbeat(this.#tail.position))
  }

  #take(data: Buffer, isBinary: boolean): void {
    if (!this.#isWithinRate()) return
    try {
      this.#obey(readCommand(data, isBinary))
    } catch (error) {
      this.fail(error)
    }
  }

  #obey(command: TailCommand): void {
    switch (command.type) {
      case 'credit':
        this.#credit = (this.#credit === Infinity ? 0 : this.#credit) + command.records
        break
      case 'pause':
        this.#paused = true
        break
      case 'resume':
        this.#paused = false
        break
    }
    this.#tail?.nudge()
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

function readCommand(data: Buffer, isBinary: boolean): TailCommand {
  const parsed = isBinary ? undefined : TailCommand.safeParse(parseJson(data))
  if (parsed?.success) return parsed.data
  throw invalidField(
    'body',
    '',
    'must be {"type":"credit","records":N}, {"type":"pause"} or {"type":"resume"}',
  )
}

function parseJson(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString()) as unknown
  } catch {
    return undefined
  }
}

function closeCode(problem: ProblemError): number {
  if (problem.code === 'internal_error') return INTERNAL
  return problem.status >= 500 || problem.status === 429 ? TRY_AGAIN : REFUSED
}
