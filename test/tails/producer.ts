import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from './cluster.ts'
import type { Random } from './random.ts'

/** One request of a producer: all its records are written, or none. */
export interface Sent {
  topic: string
  ids: string[]
  /** `no`: said to be not written. */
  outcome: 'ok' | 'no' | 'unknown'
  offsets: { partition: number; base_offset: number; record_count: number }[]
}

export const KEYS = Array.from({ length: 12 }, (_, k) => `key-${String(k)}`)
const PADS = ['', 'x'.repeat(20), 'é𝄞"\\\n\u2028', 'y'.repeat(400), '\u0000\r']
/** A server answers within 10 s. */
const ANSWER_MS = 12_000

/** Sends batches, one after the other, to any node; half of all producers repeat what may have failed. */
export class Producer {
  readonly sent: Sent[] = []
  readonly #name: string
  readonly #cluster: Cluster
  readonly #topics: readonly string[]
  readonly #random: Random
  readonly #repeats: boolean
  #records = 0

  constructor(name: string, cluster: Cluster, topics: readonly string[], random: Random) {
    this.#name = name
    this.#cluster = cluster
    this.#topics = topics
    this.#random = random
    this.#repeats = random.chance(0.5)
  }

  get acknowledged(): number {
    return this.sent.filter(({ outcome }) => outcome === 'ok').length
  }

  async run(more: () => boolean): Promise<void> {
    while (more()) {
      const topic = this.#random.pick(this.#topics)
      const lines = Array.from({ length: 1 + this.#random.below(20) }, () => this.#line())
      const ids = lines.map(({ id }) => id)
      const body = lines.map(({ text }) => `${text}\n`).join('')
      let sent = await this.#send(topic, ids, body)
      while (this.#repeats && sent.outcome !== 'ok') {
        await sleep(20)
        sent = await this.#send(topic, ids, body)
      }
      this.sent.push(sent)
      await sleep(this.#random.below(60))
    }
  }

  /** Some with a key, some with a time of their own, some with spaces that JSON allows. */
  #line(): { id: string; text: string } {
    const random = this.#random
    const id = `${this.#name}-${String(this.#records++)}`
    const key = random.chance(0.7) ? `"key":"${random.pick(KEYS)}",` : ''
    const time = random.chance(0.1) ? `"timestamp":${String(Date.now() - random.below(1000))},` : ''
    const space = random.chance(0.1) ? ' \r\t' : ''
    const value = `{"id":"${id}",${space}"pad":${JSON.stringify(random.pick(PADS))},"n":1.50}`
    return { id, text: `{${key}${time}"value":${value}}` }
  }

  async #send(topic: string, ids: string[], body: string): Promise<Sent> {
    const sent: Sent = { topic, ids, outcome: 'unknown', offsets: [] }
    const headers = { 'content-type': 'application/x-ndjson' }
    try {
      const url = `${this.#cluster.anyUrl(this.#random)}/v1/topics/${topic}/records`
      const response = await fetch(url, {
        method: 'POST',
        headers: this.#repeats ? { ...headers, 'idempotency-key': ids[0] ?? '' } : headers,
        body,
        signal: AbortSignal.timeout(ANSWER_MS),
      })
      const answer = (await response.json()) as Sent & { written?: string }
      if (response.ok) return { ...sent, outcome: 'ok', offsets: answer.offsets }
      return { ...sent, outcome: answer.written === 'no' ? 'no' : 'unknown' }
    } catch (error) {
      const refused = (error as { cause?: { code?: string } }).cause?.code === 'ECONNREFUSED'
      return { ...sent, outcome: refused ? 'no' : 'unknown' }
    }
  }
}
