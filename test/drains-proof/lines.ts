import type { Random } from '../tails/random.ts'

/** What became of a line in the sender, by its own account. */
export type Fate =
  /** In the buffer, or in a frame that is being sent. */
  | 'waiting'
  /** A frame with it was answered 2xx. */
  | 'acknowledged'
  /** Pushed out of a full buffer before it was ever sent. */
  | 'displaced'
  /** Its frame had no tries left. */
  | 'tries_spent'
  /** Its frame was answered 4xx. */
  | 'refused'

/** A log line on its way. `process` and `number` make it unique. */
export interface Line {
  process: string
  number: number
  /** As it goes over the wire, with its octet count in front. */
  framed: Buffer
  fate: Fate
}

/** How a line of ours is known again in the text that was stored of it. */
const NAMED = /^no=(\d+) from=(\S+) /

export function nameOf(process: string, number: number): string {
  return `${process} no. ${String(number)}`
}

/** The name of the line that this message is of; undefined for what is none of ours, such as an L10. */
export function readName(message: string): string | undefined {
  const [, number, process] = NAMED.exec(message) ?? []
  return process === undefined ? undefined : nameOf(process, Number(number))
}

/** `2026-11-21T09:41:06.819402+00:00`, with microseconds that no two calls share in practice. */
export function timestamp(): string {
  const micros = Math.floor((performance.timeOrigin + performance.now()) * 1000)
  const digits = String(micros % 1_000_000).padStart(6, '0')
  return `${new Date(micros / 1000).toISOString().slice(0, 19)}.${digits}+00:00`
}

/** Octets, a space, the message: https://www.rfc-editor.org/rfc/rfc6587#section-3.4.1 */
export function framed(message: string): Buffer {
  const bytes = Buffer.from(message)
  return Buffer.concat([Buffer.from(`${String(bytes.length)} `), bytes])
}

/** Texts that receivers stumble over: brackets, dashes, newlines inside, bytes beyond ASCII, length. */
const TEXTS = [
  'ready',
  'at=info method=GET path="/a b" host=shop.example.org dyno=web.1 connect=0ms service=3ms status=200 bytes=12',
  '[GIN] 2026/11/21 - 09:41:06 | 200 | 1.2ms | "/"',
  '- - [12-1] select 1',
  'grün 𝄞 e\u0301 \u2028 \u001b[31mred\u001b[0m "quoted" \\',
  'first\n\tat second (third.js:4:5)\n 12 <190>1 looks like a frame',
  'usual',
  'usual '.repeat(12),
  'longer '.repeat(60),
]
/** One in so many lines is as long as a line of Logplex may be, or nearly. */
const LONG_EVERY = 200
const LONG = 'é'.repeat(4_900)

function textOf(random: Random): string {
  return random.below(LONG_EVERY) === 0 ? LONG : random.pick(TEXTS)
}

/** One process of an app: numbers its lines from 0. */
export class LogSource {
  readonly process: string
  #next = 0

  constructor(process: string) {
    this.process = process
  }

  line(random: Random): Line {
    const number = this.#next++
    const text = `no=${String(number)} from=${this.process} ${textOf(random)}`
    const message = `<190>1 ${timestamp()} host app ${this.process} - ${text}\n`
    return { process: this.process, number, framed: framed(message), fate: 'waiting' }
  }
}
