import { LineCutter } from './lines.ts'

/** An event of `text/event-stream`. Without data it says no more than its id. */
export interface ServerEvent {
  type: string
  data: string
  /** Undefined where the event itself has none. */
  id: string | undefined
}

/**
 * Reads `text/event-stream` as the HTML standard has it, for streams that are read with fetch: `EventSource`
 * can neither send headers nor be slowed down. `retry` is read over: how long to wait is decided elsewhere.
 */
export class EventStreamParser {
  readonly #lines = new LineCutter(/\r\n|\r|\n/)
  #afterReturn = false
  #type = ''
  #data: string[] = []
  #id: string | undefined

  /** The events that this piece completes; an event that is cut off by the stream's end never was. */
  read(piece: string): ServerEvent[] {
    if (piece === '') return []
    // A CR ends its line at once, without a look at what the next piece has; an LF there belongs to it.
    const text = this.#afterReturn && piece.startsWith('\n') ? piece.slice(1) : piece
    this.#afterReturn = piece.endsWith('\r')
    const events: ServerEvent[] = []
    for (const line of this.#lines.cut(text)) {
      if (line === '') events.push(...this.#dispatch())
      else this.#field(line)
    }
    return events
  }

  #dispatch(): ServerEvent[] {
    const event = { type: this.#type || 'message', data: this.#data.join('\n'), id: this.#id }
    this.#type = ''
    this.#data = []
    this.#id = undefined
    return event.data === '' && event.id === undefined ? [] : [event]
  }

  /** A comment is a field without a name, which is one of those not known. */
  #field(line: string): void {
    const colon = line.indexOf(':')
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (name === 'event') this.#type = value
    if (name === 'data') this.#data.push(value)
    if (name === 'id' && !value.includes('\0')) this.#id = value
  }
}
