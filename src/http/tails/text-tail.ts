import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import type { PageWriter, Tail } from '../../broker/tail.ts'
import { LIMITS } from '../../contract/limits.ts'
import { ProblemError } from '../../contract/problem-error.ts'
import { logFailure } from '../failure-log.ts'
import { openStream } from '../open-stream.ts'
import { asProblem, problemMessage } from '../problem-json.ts'
import { StallWatch } from './stall.ts'
import type { TailForm } from './tail-forms.ts'

/** How long the last words to a reader that takes nothing may lie in its socket. */
const LAST_WORDS_MS = 5_000

/** Sends a tail as a response that goes on: NDJSON or server-sent events. Resolves when it is over. */
export async function sendTextTail(
  reply: FastifyReply,
  tail: Tail,
  form: TailForm,
  write: PageWriter,
): Promise<void> {
  const response = new TextTail(reply, tail, form)
  try {
    for (;;) {
      let event = await tail.next(write, () => LIMITS.tail_page_records)
      if (!event) break
      const text = event.type === 'records' ? form.records(event) : form.control(event)
      // Or its text would be kept beside these bytes for as long as the reader takes nothing.
      event = undefined
      if (text !== undefined) await response.send(text)
    }
    response.end()
  } catch (error) {
    response.fail(error)
  }
}

class TextTail {
  readonly #raw: ServerResponse
  readonly #reply: FastifyReply
  readonly #tail: Tail
  readonly #form: TailForm
  readonly #heartbeat: NodeJS.Timeout
  readonly #stall: StallWatch
  #sent: (() => void) | undefined

  constructor(reply: FastifyReply, tail: Tail, form: TailForm) {
    this.#reply = reply
    this.#raw = openStream(reply, form.content_type)
    this.#tail = tail
    this.#form = form
    // At once, so that the caller knows it is connected before there is a record.
    if (form.opening === '') this.#raw.flushHeaders()
    else this.#raw.write(form.opening)
    const settle = () => this.#sent?.()
    this.#raw.on('drain', settle)
    this.#raw.on('close', () => {
      clearTimeout(this.#heartbeat)
      settle()
    })
    this.#stall = new StallWatch(reply.request.raw.socket)
    this.#raw.on('timeout', () => this.#timedOut())
    this.#heartbeat = setTimeout(() => this.#beat(), LIMITS.tail_heartbeat_ms)
    tail.whenDraining(() => this.#closeSoon())
  }

  /** Resolves when there is room for more, or the reader is gone. */
  async send(text: string | Buffer): Promise<void> {
    this.#heartbeat.refresh()
    if (this.#raw.destroyed || this.#raw.writableEnded || this.#raw.write(text)) return
    this.#stall.restart()
    await new Promise<void>((resolve) => (this.#sent = resolve))
    this.#sent = undefined
  }

  end(lastWords = ''): void {
    clearTimeout(this.#heartbeat)
    if (!this.#raw.writableEnded) this.#raw.end(lastWords)
  }

  /** The last message says why, and where to go on. */
  fail(error: unknown): void {
    const problem = asProblem(error)
    if (problem.status >= 500 && problem.code !== 'slow_consumer') {
      logFailure(this.#reply.log, problem, this.#reply.request.id)
    }
    const message = problemMessage(problem, this.#reply.request.id, this.#tail.position)
    this.end(this.#form.control(message))
  }

  #beat(): void {
    if (!this.#sent) this.#raw.write(this.#form.heartbeat(this.#tail.position))
    this.#heartbeat.refresh()
  }

  #timedOut(): void {
    if (!this.#sent || !this.#stall.isOver()) return
    this.fail(slowConsumer())
    this.#closeSoon()
  }

  /**
   * However little the reader takes, it does not hold up the server for long. With a reset: after an ordinary
   * close Linux keeps what lies in its send buffer, some 4 MB, for minutes.
   */
  #closeSoon(): void {
    setTimeout(() => this.#raw.socket?.resetAndDestroy(), LAST_WORDS_MS).unref()
  }
}

export function slowConsumer(): ProblemError {
  const seconds = String(LIMITS.tail_stall_ms / 1000)
  return new ProblemError('slow_consumer', `The reader took nothing for ${seconds} s.`)
}
