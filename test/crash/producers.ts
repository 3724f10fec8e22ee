import { setTimeout as sleep } from 'node:timers/promises'
import { send } from '../../src/client/call.ts'
import type { Problem } from '../../src/contract/openapi.ts'
import { produceRecords } from '../../src/contract/record-routes.ts'
import type { ProduceResponse } from '../../src/contract/records.ts'

/** What one producer knows of what it sent: its records are numbered and sent one after the other. */
export interface Sent {
  producer: string
  number: number
  /** `ok` with where it is; `no`: said to be not written; `unknown`. */
  outcome: 'ok' | 'no' | 'unknown'
  partition?: number
  offset?: number
  /** When its last attempt began, by performance.now(). */
  started: number
}

/** How long an answer may take: the server promises one within 10 s. */
const ANSWER_MS = 12_000

/**
 * Eight producers that never stop until told to. Those with an even number send an Idempotency-Key and
 * repeat until acknowledged; the others send each record once, and go on.
 */
export class Producers {
  readonly sent: Sent[] = []
  readonly #base: string
  readonly #topic: string
  #stopping = false
  #running: Promise<void>[] = []

  constructor(base: string, topic: string) {
    this.#base = base
    this.#topic = topic
  }

  start(count: number): void {
    this.#running = Array.from({ length: count }, (_, index) => this.#produce(index))
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.all(this.#running)
  }

  get acknowledged(): number {
    return this.sent.filter(({ outcome }) => outcome === 'ok').length
  }

  async #produce(index: number): Promise<void> {
    const producer = `producer-${String(index)}`
    const keyed = index % 2 === 0
    for (let number = 0; !this.#stopping; number++) {
      const sent = await this.#sendOnce(producer, number, keyed)
      this.sent.push(sent)
    }
  }

  async #sendOnce(producer: string, number: number, keyed: boolean): Promise<Sent> {
    for (;;) {
      const sent = await this.#attempt(producer, number, keyed)
      if (sent.outcome === 'ok' || !keyed) {
        // A server that is away refuses at once; no need to ask it a thousand times a second.
        if (sent.outcome !== 'ok') await sleep(10)
        return sent
      }
      await sleep(10)
    }
  }

  async #attempt(producer: string, number: number, keyed: boolean): Promise<Sent> {
    const sent: Sent = { producer, number, outcome: 'unknown', started: performance.now() }
    try {
      const response = await send(this.#base, produceRecords, {
        params: { topic: this.#topic },
        body: { records: [{ key: producer, value: { producer, number } }] },
        headers: keyed ? { 'idempotency-key': `${producer}-${String(number)}` } : {},
        signal: AbortSignal.timeout(ANSWER_MS),
      })
      if (!response.ok) {
        const problem = (await response.json()) as Problem
        return { ...sent, outcome: problem.written === 'no' ? 'no' : 'unknown' }
      }
      const [place] = ((await response.json()) as ProduceResponse).offsets
      return {
        ...sent,
        outcome: 'ok',
        partition: place?.partition ?? 0,
        offset: place?.base_offset ?? 0,
      }
    } catch (error) {
      const refused = (error as { cause?: { code?: string } }).cause?.code === 'ECONNREFUSED'
      return { ...sent, outcome: refused ? 'no' : 'unknown' }
    }
  }
}
