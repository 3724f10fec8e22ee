import { connect } from 'node:net'
import { once } from 'node:events'
import { createDrain } from '../../src/contract/drain-routes.ts'
import { call } from '../../src/client/index.ts'
import { Outage } from '../support/outage.ts'
import { startServerProcess, type Ended, type ServerProcess } from '../support/process.ts'
import { until } from '../support/within.ts'

/** How a server ended that was told to stop, and when after that it had closed its port and had ended. */
export interface Stopped {
  ended: Ended | undefined
  closed_ms: number
  ended_ms: number
}

/** A server in a process of its own, which always listens on the same port, over a Postgres that can be harmed. */
export class Site {
  readonly postgres: Outage
  /** What servers that ended had complained of. */
  #complaints = ''
  #server: ServerProcess | undefined
  #url = ''

  private constructor(postgres: Outage) {
    this.postgres = postgres
  }

  static async open(): Promise<Site> {
    const site = new Site(await Outage.create())
    await site.#start()
    return site
  }

  get url(): string {
    return this.#url
  }

  /** What all servers have complained of. */
  get complaints(): string {
    return this.#complaints + (this.#server?.stderr() ?? '')
  }

  /** Creates a drain and its topic; gives its URL, with the credential that senders show. */
  async createDrain(name: string, partitions: number): Promise<string> {
    const { url, credential } = await call(this.url, createDrain, { body: { name, partitions } })
    const withUser = new URL(url)
    withUser.username = 'logs'
    withUser.password = credential
    return withUser.href
  }

  /** kill -9, and a new server at once. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
    await this.#start()
  }

  /** A deploy on one machine: the new server listens as soon as the old one has closed the port. */
  async roll(): Promise<Stopped> {
    const began = performance.now()
    const since = () => performance.now() - began
    const ending = this.#end('SIGTERM').then((ended) => ({ ended, ended_ms: since() }))
    await until(() => isRefused(this.#port))
    const closed_ms = since()
    await this.#start()
    return { ...(await ending), closed_ms }
  }

  /** kill -9 of Postgres; resolves when another one answers. */
  async killPostgres(): Promise<void> {
    const before = await this.#startOfPostgres()
    this.postgres.kill()
    await until(() =>
      this.#startOfPostgres().then(
        (now) => now !== before,
        () => false,
      ),
    )
  }

  async #startOfPostgres(): Promise<string | undefined> {
    const sql = 'select pg_postmaster_start_time()::text as at'
    const [row] = await this.postgres.query<{ at: string }>(sql)
    return row?.at
  }

  get #port(): string {
    return this.#url === '' ? '0' : new URL(this.#url).port
  }

  async #start(): Promise<void> {
    this.#server = await startServerProcess({
      DATABASE_URL: this.postgres.url,
      TAILRACE_LOG_LEVEL: 'warn',
      TAILRACE_PORT: this.#port,
    })
    this.#url = this.#server.url
  }

  async #end(signal: NodeJS.Signals): Promise<Ended | undefined> {
    const server = this.#server
    this.#server = undefined
    const ended = await server?.stop(signal)
    this.#complaints += ended?.stderr ?? ''
    return ended
  }

  async close(): Promise<void> {
    await this.#end('SIGTERM')
    await this.postgres.close()
  }
}

async function isRefused(port: string): Promise<boolean> {
  const socket = connect(Number(port), '127.0.0.1')
  try {
    await once(socket, 'connect')
    return false
  } catch {
    return true
  } finally {
    socket.destroy()
  }
}
