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

  constructor(app: FastifyInstance, log: DoorLog) {
    this.#app = app
    this.#log = log
  }

  shut(): void {
    const { server } = this.#app
    const address = server.address()
    if (!server.listening || typeof address !== 'object' || address === null) return
    this.#address = { host: address.address, port: address.port }
    server.close()
    this.#log.warn(this.#address, 'the database is away: no connections are taken until it is back')
    this.#timer = setInterval(() => server.closeIdleConnections(), AGAIN_MS).unref()
  }

  open(): void {
    clearInterval(this.#timer)
    if (this.#address) this.#listen(this.#address)
  }

  /** The server stops: it shall not listen again. */
  remove(): void {
    clearInterval(this.#timer)
    this.#address = undefined
  }

  #listen(address: { host: string; port: number }): void {
    const { server } = this.#app
    const failed = (err: Error) => {
      this.#log.warn({ err }, 'the port cannot be listened on again yet')
      this.#timer = setTimeout(() => this.open(), AGAIN_MS).unref()
    }
    server.once('error', failed)
    server.listen(address, () => {
      server.removeListener('error', failed)
      this.#log.warn(address, 'the database is back: connections are taken again')
    })
  }
}
