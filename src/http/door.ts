import type { FastifyInstance } from 'fastify'
import { closePort } from './connections.ts'

/** How often it is tried to listen again, where another program has taken the port meanwhile. */
const AGAIN_MS = 1_000

export interface DoorLog {
  warn: (fields: object, message: string) => void
}

/**
 * Lets a server that listens stop taking connections for a while, and take them again: connections there are stay,
 * idle ones are closed, so that their next request finds the port refusing too.
 *
 * To listen takes a moment, or longer where the port is taken, and what is wanted may change meanwhile: what is wanted
 * last, holds.
 */
export class Door {
  readonly #app: FastifyInstance
  readonly #log: DoorLog
  #wanted: 'open' | 'shut' | 'removed' = 'open'
  #isOpening = false
  #address: { host: string; port: number } | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(app: FastifyInstance, log: DoorLog) {
    this.#app = app
    this.#log = log
  }

  shut(): void {
    if (this.#wanted !== 'open') return
    this.#wanted = 'shut'
    clearInterval(this.#timer)
    const { server } = this.#app
    const address = server.address()
    if (typeof address !== 'object' || address === null) return
    this.#address = { host: address.address, port: address.port }
    void closePort(this.#app, () => this.#wanted !== 'open')
    this.#log.warn(this.#address, 'the database is away: no connections are taken until it is back')
    this.#timer = setInterval(() => server.closeIdleConnections(), AGAIN_MS).unref()
  }

  open(): void {
    if (this.#wanted !== 'shut') return
    this.#wanted = 'open'
    this.#listen()
  }

  /** The server stops: resolves when it does not listen, and it shall not do so again. */
  async remove(): Promise<void> {
    this.#wanted = 'removed'
    clearInterval(this.#timer)
    await closePort(this.#app)
  }

  #listen(): void {
    clearInterval(this.#timer)
    const { server } = this.#app
    if (this.#isOpening || server.listening || !this.#address) return
    this.#isOpening = true
    const done = (err?: Error) => {
      server.off('error', done)
      server.off('listening', done)
      this.#isOpening = false
      this.#tried(err)
    }
    server.on('error', done)
    server.on('listening', done)
    server.listen(this.#address)
  }

  #tried(err: Error | undefined): void {
    if (this.#wanted !== 'open') {
      if (!err) void closePort(this.#app, () => this.#wanted !== 'open')
    } else if (err) {
      this.#log.warn({ err }, 'the port cannot be listened on again yet')
      this.#timer = setTimeout(() => this.#listen(), AGAIN_MS).unref()
    } else {
      this.#log.warn(this.#address ?? {}, 'the database is back: connections are taken again')
    }
  }
}
