import type { Broker } from '../../src/broker/broker.ts'
import { produce } from '../../src/broker/produce.ts'
import { parseRecordLines } from '../../src/records/parse-body.ts'
import { BrokerReader } from './broker-reader.ts'
import type { Random } from './random.ts'

/** When a round's subscription comes; `idle`: there is a reader that has read everything already. */
const KINDS = ['before', 'while', 'after', 'idle'] as const
export type Kind = (typeof KINDS)[number]

/** A record that has not arrived by then never will. */
const LOST_MS = 20_000
/** Readers that stay for later rounds, at most. */
const LIVE = 3

export interface Delivery {
  kind: Kind
  /** Was it appended by another node than the reader's? */
  remote: boolean
  /** From the acknowledgement, or the subscription where that came later. */
  ms: number
}

interface Live {
  reader: BrokerReader
  broker: Broker
  opened: number
}

/** Rounds of "append a record while somebody subscribes", one after the other, on a partition of its own. */
export class Lane {
  readonly deliveries: Delivery[] = []
  /** Rounds whose record did not arrive at some reader. */
  readonly lost: string[] = []
  rounds = 0
  readonly #topic: string
  readonly #partition: number
  readonly #random: Random
  #live: Live[] = []
  #failed: (error: unknown) => void = () => undefined

  constructor(topic: string, partition: number, random: Random) {
    this.#topic = topic
    this.#partition = partition
    this.#random = random
  }

  /** Goes on until `more` says no, or a record is lost. */
  async run(
    producers: readonly Broker[],
    readers: readonly Broker[],
    more: () => boolean,
  ): Promise<void> {
    const failure = new Promise<never>((_resolve, reject) => (this.#failed = reject))
    while (this.lost.length === 0 && more()) {
      const [producer, reader] = [this.#random.pick(producers), this.#random.pick(readers)]
      await Promise.race([this.#round(producer, reader), failure])
    }
    for (const { reader } of this.#live) reader.close()
  }

  async #round(producer: Broker, broker: Broker): Promise<void> {
    const random = this.#random
    const kind = this.#live.length === 0 ? random.pick(KINDS.slice(0, 3)) : random.pick(KINDS)
    const offset = this.rounds
    const append = () => this.#append(producer)
    const acknowledged = await this.#meet(kind, append, () => this.#open(broker, offset))
    await Promise.all(
      this.#live.map((live) => this.#expect(live, offset, acknowledged, kind, producer)),
    )
    this.rounds++
    while (this.#live.length > 0 && (this.#live.length > LIVE || random.chance(0.4))) {
      this.#live.splice(random.below(this.#live.length), 1)[0]?.reader.close()
    }
  }

  /** Lets append and subscription meet; gives the time of the acknowledgement. */
  async #meet(kind: Kind, append: () => Promise<number>, open: () => void): Promise<number> {
    const random = this.#random
    if (kind === 'before') open()
    if (kind !== 'after') {
      const opening = kind === 'while' ? random.moment().then(open) : undefined
      await random.moment()
      const acknowledged = await append()
      await opening
      return acknowledged
    }
    const appending = append()
    if (random.chance(0.5)) await appending
    await random.moment()
    open()
    return appending
  }

  async #append(broker: Broker): Promise<number> {
    const record = { partition: this.#partition, value: this.rounds }
    const body = Buffer.from(`${JSON.stringify(record)}\n`)
    await produce(broker, {
      topic: this.#topic,
      bytes: body.length,
      parse: () => parseRecordLines(body),
    })
    return performance.now()
  }

  #open(broker: Broker, offset: number): void {
    const reader = new BrokerReader(offset)
    reader.read(broker, this.#topic, this.#partition).catch(this.#failed)
    this.#live.push({ reader, broker, opened: performance.now() })
  }

  async #expect(
    { reader, broker, opened }: Live,
    offset: number,
    acknowledged: number,
    kind: Kind,
    producer: Broker,
  ): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), LOST_MS)
    })
    const at = await Promise.race([reader.saw(offset), late])
    clearTimeout(timer)
    const remote = producer !== broker
    if (at !== undefined) {
      this.deliveries.push({ kind, remote, ms: Math.max(0, at - Math.max(acknowledged, opened)) })
      return
    }
    const where = `${this.#topic}/${String(this.#partition)}, round ${String(offset)}`
    this.lost.push(`${where}, ${kind}, ${remote ? 'from another node' : 'from its own node'}`)
  }
}
