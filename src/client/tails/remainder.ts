import { tailTopic, tailTopics } from '../../contract/tail-routes.ts'
import type { TailControl, TailedRecord } from '../../contract/tails.ts'
import type { TailRequest } from './connection.ts'
import type { TailOptions } from './options.ts'
import { Position, withoutTopic } from './position.ts'

/** What of a tail is still to come, so that another connection asks for that and nothing else. */
export class Remainder {
  readonly #base: string
  readonly #options: TailOptions
  readonly #headers: Record<string, string>
  readonly #several: boolean
  readonly #topics: Set<string>
  readonly #position = new Position()
  #until: string | undefined
  /** Records that may still come; undefined: any number. */
  #left: number | undefined
  #ended = false

  constructor(base: string, topics: string | readonly string[], options: TailOptions) {
    this.#base = requireHttp(base)
    this.#options = options
    this.#headers = Object.fromEntries(new Headers(options.headers))
    this.#several = typeof topics !== 'string'
    this.#topics = new Set(typeof topics === 'string' ? [topics] : topics)
    if (this.#topics.size === 0) throw new TypeError('A tail needs at least one topic.')
    this.#until = options.until
    this.#left = options.max_records
  }

  get position(): string | undefined {
    return this.#position.text
  }

  /** There is nothing left to ask for, whether or not the server has had time to say so. */
  isComplete(): boolean {
    return this.#ended || this.#left === 0 || this.#topics.size === 0
  }

  /** The server has said so. */
  hasEnded(): boolean {
    return this.#ended
  }

  /** What to ask of the next connection. */
  request(): TailRequest {
    const [topic = ''] = this.#topics
    const { position } = this
    return {
      base: this.#base,
      route: this.#several ? tailTopics : tailTopic,
      params: this.#several ? {} : { topic },
      query: { ...this.#query(), from: position === undefined ? this.#options.from : undefined },
      position,
      headers: this.#headers,
    }
  }

  #query(): TailRequest['query'] {
    const { partitions, key, on_truncated } = this.#options
    return {
      topics: this.#several ? [...this.#topics].join(',') : undefined,
      partitions: partitions?.join(','),
      key,
      max_records: this.#left,
      until: this.#until,
      on_truncated,
    }
  }

  /** This record goes to the reader now; `position` is behind it, where the server says it. */
  took(record: TailedRecord, position: string | undefined): void {
    if (this.#left !== undefined) this.#left--
    if (position === undefined) this.#position.passed(record)
    else this.#position.reached(position)
  }

  /** The server says that it is here. */
  reached(position: string): void {
    this.#position.reached(position)
  }

  /** Takes from a control message what matters for another connection. */
  heed(message: TailControl): void {
    // A later server may know messages that this client does not, and some without a position.
    if (typeof message.position === 'string') this.reached(message.position)
    if (message.type === 'begin') this.#begin(message.until)
    if (message.type === 'topic_deleted') this.#forget(message.topic)
    if (message.type === 'end') this.#ended = true
  }

  /** `latest` would be somewhere else by the time of another connection. */
  #begin(until: string | undefined): void {
    if (this.#until !== undefined && until !== undefined) this.#until = until
  }

  /** To ask for a topic that is gone, or only name it in a position, would be refused. */
  #forget(topic: string): void {
    this.#topics.delete(topic)
    if (this.#until !== undefined) this.#until = withoutTopic(this.#until, topic)
    if (this.position !== undefined) this.reached(withoutTopic(this.position, topic))
  }
}

/** Else `localhost:7070`, an URL of the scheme `localhost`, would be tried again for ever. */
function requireHttp(base: string): string {
  const { protocol } = new URL(base)
  if (protocol === 'http:' || protocol === 'https:') return base
  throw new TypeError(`A tail needs the address of a server, http:// or https://, not ${base}`)
}
