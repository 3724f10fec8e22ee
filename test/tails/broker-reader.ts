import type { Broker } from '../../src/broker/broker.ts'
import { Tail, type TailInput } from '../../src/broker/tail.ts'
import { NDJSON_TAIL, pageWriter } from '../../src/http/tails/tail-forms.ts'

const write = pageWriter(NDJSON_TAIL, { names_topics: false, key: undefined })

/** Reads a tail of one partition as fast as it can, and knows when it saw what. */
export class BrokerReader {
  /** The offset after the last record it saw. */
  next: number
  readonly #abort = new AbortController()
  #waiting: { offset: number; resolve: (at: number) => void }[] = []
  /** When it saw the last record. */
  #at = 0

  /** Of what it reads, `next` is known beforehand. */
  constructor(next: number) {
    this.next = next
  }

  /** Rejects where the tail fails, or is not one stream without gap and repetition. */
  async read(broker: Broker, topic: string, partition: number): Promise<void> {
    const from = {
      kind: 'position',
      offsets: new Map([[`${topic}/${String(partition)}`, this.next]]),
    }
    const input = { topics: [topic], partitions: [partition], from, names_topics: false }
    const options = { ...input, on_truncated: 'continue' } as TailInput
    const tail = await Tail.open(broker, options, this.#abort.signal)
    for (;;) {
      const event = await tail.next(write, () => 1000)
      if (!event) break
      if (event.type !== 'records') continue
      const { next_offset, record_count } = event.page
      if (next_offset - record_count !== this.next) {
        throw new Error(`got ${event.page.text} at ${String(this.next)}`)
      }
      this.#saw(next_offset)
    }
  }

  #saw(next: number): void {
    this.next = next
    this.#at = performance.now()
    const seen = this.#waiting.filter(({ offset }) => offset < next)
    this.#waiting = this.#waiting.filter(({ offset }) => offset >= next)
    for (const { resolve } of seen) resolve(this.#at)
  }

  /** When the record at this offset came. */
  async saw(offset: number): Promise<number> {
    if (offset < this.next) return this.#at
    return new Promise((resolve) => this.#waiting.push({ offset, resolve }))
  }

  close(): void {
    this.#abort.abort()
  }
}
