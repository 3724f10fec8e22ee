import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from './cluster.ts'
import { place, readPosition, writePosition, type Positions } from './places.ts'
import type { Random } from './random.ts'
import { openTail, type Control, type Form, type Records, type TailStream } from './tail-stream.ts'

/** What a reader was given of one partition, in the order in which it came. */
export type Piece =
  | { kind: 'records'; offsets: readonly number[]; text: string }
  | { kind: 'truncated'; offset: number; log_start_offset: number }

export interface ReaderOptions {
  form: Form
  /** One: /v1/topics/{topic}/tail; several: /v1/tail. */
  topics: readonly string[]
  /** Only records with this key. */
  key?: string
  /** Where it begins; a function, as the log grows meanwhile. */
  from: () => string
}

/**
 * Reads a tail like the most restless of clients: cuts its connection at random, stays away for a while,
 * goes on at some other node from where it was, and reads slowly at times. It keeps all it was given.
 */
export class RestlessReader {
  readonly options: ReaderOptions
  readonly pieces = new Map<string, Piece[]>()
  /** Where it began. */
  begin: Positions | undefined
  /** What should not have happened. */
  readonly wrong: string[] = []
  connections = 0
  cuts = 0
  refusals = 0
  /** By type. */
  readonly controls = new Map<string, number>()
  readonly #cluster: Cluster
  readonly #random: Random
  /** The position to go on from, in the server's words where the form has them. */
  #position: string | undefined
  #at: Positions = new Map()
  #ends: Positions | undefined
  #complete = false
  #stream: TailStream | undefined

  constructor(cluster: Cluster, options: ReaderOptions, random: Random) {
    this.#cluster = cluster
    this.options = options
    this.#random = random
  }

  get name(): string {
    const { form, topics, key } = this.options
    return `${form} of ${topics.join(',')}${key === undefined ? '' : ` key ${key}`}`
  }

  /** Reads until it has all up to where `finish` says. */
  async run(): Promise<void> {
    for (;;) {
      await this.#connect()
      if (this.#complete) return
      const isLong = !this.#ends && this.#random.chance(0.2)
      await sleep(this.#random.below(isLong ? 4000 : 200))
    }
  }

  /** The log ends here now. */
  finish(ends: Positions): void {
    this.#ends = new Map([...ends].filter(([where]) => this.#reads(where)))
    this.#settle()
    // One that takes only some records cannot know by itself that it has read to the end.
    if (this.options.key !== undefined || this.#random.chance(0.5)) this.#stream?.cut()
  }

  #reads(where: string): boolean {
    return this.options.topics.some((topic) => where.startsWith(`${topic}/`))
  }

  get missing(): string {
    return `${this.name} is at ${writePosition(this.#at, undefined)}`
  }

  get #topic(): string | undefined {
    const [first, ...others] = this.options.topics
    return others.length === 0 ? first : undefined
  }

  async #connect(): Promise<void> {
    this.connections++
    const { form } = this.options
    const resumesById = form === 'sse' && this.#position !== undefined && this.#random.chance(0.5)
    const url = this.#url(resumesById)
    await new Promise<void>((resolve) => {
      let over = false
      const stream = openTail(form, url, resumesById ? this.#position : undefined, {
        records: (records) => over || this.#takeRecords(records),
        control: (message) => over || this.#takeControl(message),
        closed: () => end(),
      })
      this.#stream = {
        ...stream,
        cut: () => {
          // From here on nothing counts: what is on its way is lost, as in a crash.
          stream.cut()
          end()
        },
      }
      const timers = this.#plan(this.#stream)
      const end = () => {
        over = true
        timers.forEach(clearTimeout)
        resolve()
      }
    })
  }

  #url(resumesById: boolean): string {
    const { topics, key, from } = this.options
    const query = new URLSearchParams()
    const topic = this.#topic
    if (topic === undefined) query.set('topics', topics.join(','))
    if (key !== undefined) query.set('key', key)
    if (!resumesById) query.set('from', this.#position ?? from())
    if (this.#ends) query.set('until', writePosition(this.#ends, topic))
    const path = topic === undefined ? '/v1/tail' : `/v1/topics/${topic}/tail`
    return `${this.#cluster.anyUrl(this.#random)}${path}?${query.toString()}`
  }

  /** When this connection is cut, and when it stops reading for a while. */
  #plan(stream: TailStream): NodeJS.Timeout[] {
    const random = this.#random
    const timers: NodeJS.Timeout[] = []
    const cutsAfter = this.#ends ? 5000 : random.pick([5, 100, 1000, 3000])
    if (random.chance(0.8)) {
      timers.push(
        setTimeout(() => {
          this.cuts++
          stream.cut()
        }, random.below(cutsAfter)),
      )
    }
    if (random.chance(0.3)) {
      const pausesAfter = random.below(1000)
      timers.push(setTimeout(stream.pause, pausesAfter))
      timers.push(setTimeout(stream.resume, pausesAfter + random.below(1000)))
    }
    return timers
  }

  #takeRecords({ topic, partition, offsets, text, position }: Records): void {
    const where = place(topic ?? this.#topic ?? '', partition)
    this.#piecesOf(where).push({ kind: 'records', offsets, text })
    this.#at.set(where, (offsets.at(-1) ?? 0) + 1)
    this.#moved(position)
  }

  #piecesOf(where: string): Piece[] {
    const pieces = this.pieces.get(where) ?? []
    this.pieces.set(where, pieces)
    return pieces
  }

  /** Without a filter, where the server says the tail is must be where the reader is. */
  #moved(position: string | undefined): void {
    if (position !== undefined) {
      const said = readPosition(position, this.#topic)
      const isSame = [...said].every(([where, offset]) => this.#at.get(where) === offset)
      if (this.options.key === undefined && !isSame) {
        this.wrong.push(`at ${writePosition(this.#at, undefined)} it was told ${position}`)
      }
      this.#at = said
    }
    this.#position = position ?? writePosition(this.#at, this.#topic)
    this.#settle()
  }

  #takeControl(message: Control): void {
    const { type, position } = message
    this.controls.set(type, (this.controls.get(type) ?? 0) + 1)
    switch (type) {
      case 'begin':
        this.#begins(position)
        break
      case 'truncated':
        this.#truncated(message)
        break
      case 'end':
        if (message.reason !== 'until') this.wrong.push(`ended by ${String(message.reason)}`)
        if (position !== writePosition(this.#ends ?? new Map(), this.#topic)) {
          this.wrong.push(`ended at ${position}`)
        }
        this.#complete = true
        break
      case 'problem':
        this.refusals++
        if (!PASSING.has(message.code ?? '')) this.wrong.push(JSON.stringify(message))
        return
    }
    if (type !== 'begin') this.#moved(position)
  }

  #begins(position: string): void {
    const said = readPosition(position, this.#topic)
    if (!this.begin) {
      this.begin = said
      this.#at = new Map(said)
    }
    this.#moved(position)
  }

  #truncated(message: Control): void {
    const { topic = '', partition = 0, offset = 0, log_start_offset = 0 } = message
    const where = place(topic, partition)
    this.#piecesOf(where).push({ kind: 'truncated', offset, log_start_offset })
    this.#at.set(where, log_start_offset)
  }

  #settle(): void {
    if (!this.#ends || !this.begin) return
    if ([...this.#ends].some(([where, end]) => (this.#at.get(where) ?? 0) < end)) return
    this.#complete = true
    this.#stream?.cut()
  }
}

/** A node that starts or stops may refuse for a moment. */
const PASSING = new Set(['draining', 'store_unavailable', 'slow_consumer'])
