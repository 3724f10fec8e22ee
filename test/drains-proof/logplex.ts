import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../tails/random.ts'
import { framed, timestamp, type Fate, type Line } from './lines.ts'
import { BUFFER_LINES, LogplexBuffer } from './logplex-buffer.ts'
import { LogplexConnection, type Answer } from './logplex-connection.ts'

/**
 * How Heroku's Logplex behaves towards an HTTP drain, from the last public source (heroku/logplex,
 * logplex_http_drain.erl) and from what it did towards scripted receivers:
 *
 *   - a buffer of 1,024 lines; the oldest is displaced, and told of as an L10 in the next frame
 *   - a frame has one id and three tries, with no pause between: what spends one is anything but 2xx, 4xx and a
 *     connection that is not taken
 *   - 4xx but 429 drops a frame at once
 *   - an L10 has no newline, stands first in the frame, and is made anew for each try, with another time
 */
const TRIES = 3
const RECONNECT_MS = 10
const RECONNECT_SLOTS = 10
/** After so long without a success the buffer shrinks. */
const SHRINK_MS = 5 * 60_000
const SHRUNK_LINES = 10
const IDLE_MS = 144_000
const IDLE_FUZZ_MS = 15_000

/** One request that is sent until it is answered or given up. */
export interface Frame {
  id: string
  lines: readonly Line[]
  /** Displaced before it. */
  lost: number
  answers: Answer[]
}

export interface DrainTarget {
  /** With user and password, if any. */
  url: string
  /** `d.<uuid>`, the same for all nodes. */
  token: string
}

/** One node of Logplex, as one drain knows it. */
export class LogplexNode {
  readonly buffer = new LogplexBuffer()
  /** All frames that were tried, in order. */
  readonly frames: Frame[] = []
  /** Connections that were not taken. */
  refused = 0
  connected = 0
  /** Frames that were answered 2xx. */
  delivered = 0
  readonly #url: URL
  readonly #head: string
  readonly #random: Random
  readonly #running: Promise<void>
  #isOver = false
  #wake: (() => void) | undefined
  #connection: LogplexConnection | undefined
  #idle: NodeJS.Timeout | undefined
  #attempt = 0
  #frame: Frame | undefined
  #dropped: { lines: number; since: string } | undefined
  #goodAt: number | undefined

  constructor({ url, token }: DrainTarget, random: Random) {
    this.#url = new URL(url)
    this.#head = headOf(this.#url, token)
    this.#random = random
    this.#running = this.#run()
  }

  /** Takes a line in, to be sent as soon as that can be. */
  post(line: Line): void {
    this.buffer.push(line)
    this.#wake?.()
  }

  /** Has all been sent, or given up? */
  get isIdle(): boolean {
    return this.buffer.isEmpty && !this.#frame
  }

  /** Ends it, whatever it has yet to send. */
  async close(): Promise<void> {
    this.#isOver = true
    this.#wake?.()
    await this.#running
    this.#hangUp()
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      if (this.isIdle) await new Promise<void>((resolve) => (this.#wake = resolve))
      else if (!this.#connection) await this.#connect()
      else await this.#send(this.#connection, (this.#frame ??= this.#nextFrame()))
    }
  }

  async #connect(): Promise<void> {
    this.#connection = await LogplexConnection.open(this.#url)
    if (this.#connection) {
      this.connected++
      this.#attempt = 0
    } else {
      this.refused++
      await this.#fail()
    }
  }

  #nextFrame(): Frame {
    const { lines, lost } = this.buffer.take()
    const frame = { id: randomBytes(16).toString('hex').toUpperCase(), lines, lost, answers: [] }
    this.frames.push(frame)
    return frame
  }

  async #send(connection: LogplexConnection, frame: Frame): Promise<void> {
    clearTimeout(this.#idle)
    const answer = await connection.request(this.#requestOf(frame))
    frame.answers.push(answer)
    if (isSuccess(answer)) this.#delivered(frame)
    else if (isRefusal(answer)) this.#drop(frame, 'refused')
    else {
      if (answer === 'timeout') connection.abandon()
      else connection.close()
      this.#connection = undefined
      if (frame.answers.length >= TRIES) this.#drop(frame, 'tries_spent')
      await this.#fail()
    }
  }

  #delivered(frame: Frame): void {
    this.#settle(frame, 'acknowledged')
    this.delivered++
    this.#dropped = undefined
    this.#goodAt = performance.now()
    this.buffer.resize(BUFFER_LINES)
    const idleMs = IDLE_MS + this.#random.below(IDLE_FUZZ_MS)
    this.#idle = setTimeout(() => this.#hangUp(), idleMs).unref()
  }

  #drop(frame: Frame, fate: Fate): void {
    this.#settle(frame, fate)
    const lines = (this.#dropped?.lines ?? 0) + frame.lines.length + frame.lost
    this.#dropped = { lines, since: this.#dropped?.since ?? timestamp() }
  }

  #settle(frame: Frame, fate: Fate): void {
    for (const line of frame.lines) line.fate = fate
    this.#frame = undefined
  }

  /** Pauses: at first not at all, for as long as connections are taken. */
  async #fail(): Promise<void> {
    if (performance.now() - (this.#goodAt ?? Infinity) > SHRINK_MS) this.buffer.resize(SHRUNK_LINES)
    const slots = Math.min(this.#attempt++, RECONNECT_SLOTS)
    const power = slots === 0 ? 0 : 1 + this.#random.below(slots)
    await sleep(RECONNECT_MS * Math.floor((2 ** power - 1) / 2))
  }

  #hangUp(): void {
    clearTimeout(this.#idle)
    this.#connection?.close()
    this.#connection = undefined
  }

  #requestOf({ id, lines, lost }: Frame): Buffer {
    const gone = lost + (this.#dropped?.lines ?? 0)
    const notice = gone > 0 ? [overflow(gone, this.#dropped?.since ?? timestamp())] : []
    const pieces = [...notice, ...lines.map((line) => line.framed)]
    const body = Buffer.concat(pieces)
    const own = [
      `Logplex-Msg-Count: ${String(pieces.length)}`,
      `Logplex-Frame-Id: ${id}`,
      `Content-Length: ${String(body.length)}`,
    ]
    return Buffer.concat([Buffer.from(`${this.#head}${own.join('\r\n')}\r\n\r\n`), body])
  }
}

function isSuccess(answer: Answer): boolean {
  return typeof answer === 'number' && answer >= 200 && answer < 300
}

function isRefusal(answer: Answer): boolean {
  return typeof answer === 'number' && answer >= 400 && answer < 500 && answer !== 429
}

function headOf(url: URL, token: string): string {
  const user = `${url.username}:${url.password}`
  const lines = [
    `POST ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    ...(user === ':' ? [] : [`Authorization: Basic ${Buffer.from(user).toString('base64')}`]),
    'Content-Type: application/logplex-1',
    `Logplex-Drain-Token: ${token}`,
    'User-Agent: Logplex/v200',
  ]
  return `${lines.join('\r\n')}\r\n`
}

/** In the wording of the public source, and without a newline. */
function overflow(lines: number, since: string): Buffer {
  const text = `Error L10 (output buffer overflow): ${String(lines)} messages dropped since ${since}.`
  return framed(`<172>1 ${timestamp()} host heroku logplex - ${text}`)
}
