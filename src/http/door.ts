import type { FastifyInstance } from 'fastify'

/** How often it is tried to listen again, where another program has taken the port meanwhile. */
const AGAIN_MS = 1_000

export interface DoorLog {
  warn: (fields: object, message: string) => void
}

/**
 * Lets a server that listens stop taking connections for a while, and take them again: connections there are stay,
 * idle ones are closed, so that their next request finds the port refusing too.
 */
export class Door {
  readonly #app: FastifyInstance
  readonly #log: DoorLog
  #address: { host: string; port: number } | undefined
  #timer: NodeJS.Timeout | undefined
  #isWanted = true
  #isOpening = false

  constructor(app: FastifyInstance, log: DoorLog) {
    this.#app = app
    this.#log = log
  }

  shut(): void {
    const { server } = this.#app
    this.#isWanted = false
    clearTimeout(this.#timer)
    const address = server.address()
    // If it is being opened, it is shut as soon as it is open.
    if (!server.listening || typeof address !== 'object' || address === null) return
    this.#address = { host: address.address, port: address.port }
    server.close()
    this.#log.warn(this.#address, 'the database is away: no connections are taken until it is back')
    this.#timer = setInterval(() => server.closeIdleConnections(), AGAIN_MS).unref()
  }

  open(): void {
    this.#isWanted = true
    if (!this.#address || this.#isOpening || this.#app.server.listening) return
    clearTimeout(this.#timer)
    this.#listen(this.#address)
  }

  /** The server stops: it shall not listen again. */
  remove(): void {
    this.#isWanted = false
    clearTimeout(this.#timer)
    this.#address = undefined
  }

  #listen(address: { host: string; port: number }): void {
    const { server } = this.#app
    this.#isOpening = true
    const opened = () => {
      this.#isOpening = false
      server.removeListener('error', failed)
      if (!this.#isWanted) this.shut()
      else this.#log.warn(address, 'the database is back: connections are taken again')
    }
    const failed = (err: Error) => {
      this.#isOpening = false
      server.removeListener('listening', opened)
      this.#log.warn({ err }, 'the port cannot be listened on again yet')
      if (this.#isWanted) this.#timer = setTimeout(() => this.open(), AGAIN_MS).unref()
    }
    server.once('error', failed).once('listening', opened).listen(address)
  }
}
