import type { TailedRecord } from '../../contract/tails.ts'

/**
 * Where a reader is. The server says it with each control message; between two of them it follows from the
 * records. Text and numbers are made from each other only when needed: a position may name 1,000 partitions.
 */
export class Position {
  #text: string | undefined
  #offsets: Map<string, number> | undefined

  /** As `from` takes it; undefined before anything was heard. */
  get text(): string | undefined {
    if (this.#text === undefined && this.#offsets) this.#text = format(this.#offsets)
    return this.#text
  }

  /** The server says that it is here; where it could not look, or nothing is left, it says nothing. */
  reached(text: string): void {
    if (text === '') return
    this.#text = text
    this.#offsets = undefined
  }

  /** This record, and all before it in its partition, have been given to the reader. */
  passed({ topic, partition, offset }: TailedRecord): void {
    this.#offsets ??= parse(this.#text ?? '')
    this.#offsets.set(topic === undefined ? `${partition}` : `${topic}/${partition}`, offset + 1)
    this.#text = undefined
  }
}

/** A position without what it says of a topic; other text stays as it is. */
export function withoutTopic(text: string, topic: string): string {
  const entries = text.split(',')
  return entries.filter((entry) => !entry.startsWith(`${topic}/`)).join(',')
}

function parse(text: string): Map<string, number> {
  const offsets = new Map<string, number>()
  if (text === '') return offsets
  for (const entry of text.split(',')) {
    const colon = entry.lastIndexOf(':')
    offsets.set(entry.slice(0, colon), Number(entry.slice(colon + 1)))
  }
  return offsets
}

function format(offsets: ReadonlyMap<string, number>): string {
  return [...offsets].map(([place, offset]) => `${place}:${offset}`).join(',')
}
