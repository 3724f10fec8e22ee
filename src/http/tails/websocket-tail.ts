import type { FastifyRequest } from 'fastify'
import type { WebSocket } from '@fastify/websocket'
import type { PageWriter, Tail } from '../../broker/tail.ts'
import { invalidField } from '../../contract/problem-error.ts'
import { TailCommand } from '../../contract/tails.ts'
import { problemMessage } from '../problem-json.ts'
import { Allowance } from './allowance.ts'
import { WEBSOCKET_TAIL } from './tail-forms.ts'
import { CLOSE, TailSocket } from './tail-socket.ts'

/** A tail on a WebSocket. Made at once, as messages may follow the upgrade immediately. */
export class WebSocketTail {
  readonly #socket: TailSocket
  #tail: Tail | undefined
  readonly #allowance: Allowance

  constructor(socket: WebSocket, request: FastifyRequest, credit: number | undefined) {
    this.#allowance = new Allowance(credit)
    this.#socket = new TailSocket(socket, request, {
      take: (message) => this.#obey(readCommand(message)),
      heartbeat: () => this.#tail && WEBSOCKET_TAIL.heartbeat(this.#tail.position),
      problem: (problem) =>
        JSON.stringify(problemMessage(problem, request.id, this.#tail?.position ?? '')),
    })
  }

  /** Aborted when the connection is over. */
  get signal(): AbortSignal {
    return this.#socket.signal
  }

  fail(error: unknown): void {
    this.#socket.fail(error)
  }

  /** Sends the tail to its end. */
  async run(tail: Tail, write: PageWriter): Promise<void> {
    this.#tail = tail
    tail.whenDraining(() => this.#socket.resetSoon())
    const allowance = () => this.#allowance.records
    let last = ''
    for (;;) {
      let event = await tail.next(write, allowance)
      if (!event) break
      last = event.type
      if (event.type === 'records') this.#allowance.spend(event.page.record_count)
      const message =
        event.type === 'records'
          ? WEBSOCKET_TAIL.records(event)
          : (WEBSOCKET_TAIL.control(event) ?? '')
      // Or its text would be kept beside the message for as long as the reader takes nothing.
      event = undefined
      await this.#socket.send(message)
    }
    this.#socket.close(last === 'draining' ? CLOSE.restarting : CLOSE.normal, last)
  }

  #obey(command: TailCommand): void {
    this.#allowance.obey(command)
    this.#tail?.nudge()
  }
}

function readCommand(message: unknown): TailCommand {
  const parsed = TailCommand.safeParse(message)
  if (parsed.success) return parsed.data
  throw invalidField(
    'body',
    '',
    'must be {"type":"credit","records":N}, {"type":"pause"} or {"type":"resume"}',
  )
}
