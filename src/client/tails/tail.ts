import type { Problem } from '../../contract/openapi.ts'
import type { TailControl, TailedRecord } from '../../contract/tails.ts'
import { CallError } from '../call.ts'
import { BackOff, isRetriable, pause } from './back-off.ts'
import type { TailBatch, TailForm } from './connection.ts'
import { ConnectionLost, Lifeline } from './lifeline.ts'
import { ndjsonForm } from './ndjson.ts'
import type { TailOptions } from './options.ts'
import { Remainder } from './remainder.ts'
import { sseForm } from './sse.ts'
import { webSocketForm } from './websocket.ts'

/**
 * Follows topics: `for await (const record of tail(base, 'orders', { from: 'earliest' }))`. A lost connection
 * is replaced by another one, which goes on behind the last record, so that none is missing and none comes
 * twice. Leaving the loop closes the connection.
 *
 * One topic by its name; several as an array, and then each record says its `topic`.
 */
export function tail(
  base: string,
  topics: string | readonly string[],
  options: TailOptions = {},
): Tail {
  return new Tail(base, topics, options)
}

/** A reader of topics. A second loop over it goes on where the first one stopped. */
export class Tail implements AsyncIterable<TailedRecord> {
  readonly #options: TailOptions
  readonly #form: TailForm
  readonly #remainder: Remainder
  readonly #backOff = new BackOff()
  #isRead = false

  constructor(base: string, topics: string | readonly string[], options: TailOptions) {
    this.#options = options
    this.#form = formOf(options)
    this.#remainder = new Remainder(base, topics, options)
  }

  /** Behind the last record that was given out: what to keep, and to give as `from` in another life. */
  get position(): string | undefined {
    return this.#remainder.position
  }

  [Symbol.asyncIterator](): AsyncIterator<TailedRecord, undefined> {
    const loop = new Lifeline(this.#options.signal)
    const records = this.#records(loop)
    return {
      next: () => records.next(),
      // A generator would let a `next` that waits come to its end first.
      return: () => {
        loop.end()
        return records.return(undefined)
      },
    }
  }

  async *#records(loop: Lifeline): AsyncGenerator<TailedRecord, undefined> {
    if (this.#isRead) {
      loop.end()
      throw new Error('This tail is being read by another loop.')
    }
    this.#isRead = true
    try {
      for await (const batch of this.#batches(loop)) {
        for (const record of this.#handOut(batch, loop.signal)) yield record
      }
    } catch (error) {
      this.#options.signal?.throwIfAborted()
      // Only leaving the loop has ended it otherwise.
      if (!loop.signal.aborted) throw error
    } finally {
      this.#isRead = false
      loop.end()
    }
  }

  *#handOut({ records, position }: TailBatch, signal: AbortSignal): Generator<TailedRecord> {
    const last = records.length - 1
    for (const [k, record] of records.entries()) {
      signal.throwIfAborted()
      this.#remainder.took(record, k === last ? position : undefined)
      yield record
    }
    if (last < 0 && position !== undefined) this.#remainder.reached(position)
  }

  /** What all connections bring, as if they were one. */
  async *#batches(loop: Lifeline): AsyncGenerator<TailBatch, void> {
    while (!this.#remainder.isComplete()) {
      try {
        yield* this.#connection(loop)
      } catch (error) {
        loop.signal.throwIfAborted()
        if (!isRetriable(error)) throw error
        if (!this.#remainder.isComplete()) await this.#beforeRetry(error, loop.signal)
      }
    }
  }

  async *#connection(loop: Lifeline): AsyncGenerator<TailBatch, void> {
    loop.signal.throwIfAborted()
    const lifeline = new Lifeline(loop.signal)
    try {
      for await (const message of this.#form(this.#remainder.request(), lifeline)) {
        if (message.type === 'records') yield message
        else this.#heed(message)
        if (this.#remainder.hasEnded()) return
        if (message.type !== 'begin') this.#backOff.reset()
      }
      throw new ConnectionLost('it ended before the tail did')
    } finally {
      lifeline.end()
    }
  }

  #heed(message: TailControl): void {
    this.#remainder.heed(message)
    this.#options.control?.(message)
    if (message.type === 'draining') throw new ConnectionLost(DRAINING)
    if (message.type === 'problem') throw failure(message)
  }

  async #beforeRetry(error: Error, signal: AbortSignal): Promise<void> {
    const delay = this.#backOff.next(error, error.cause === DRAINING)
    this.#options.retrying?.(error, delay)
    await pause(delay, signal)
  }
}

const DRAINING = 'the server stops'

function formOf({ form = 'ndjson', WebSocket }: TailOptions): TailForm {
  if (form === 'websocket') return webSocketForm(WebSocket)
  return form === 'sse' ? sseForm : ndjsonForm
}

/** The message's `type` stands where that of the problem would; the code says the same. */
function failure(message: TailControl & { type: 'problem' }): CallError {
  const problem = { ...message, type: `/problems/${message.code}` } as unknown as Problem
  return new CallError(message.status, problem, message.detail)
}
