import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** A server process over an embedded Postgres in a temporary folder, to be killed and started again. */
export class World {
  readonly url: string
  readonly #folder: string
  readonly #port: number
  #child: ChildProcess | undefined

  private constructor(folder: string, port: number) {
    this.#folder = folder
    this.#port = port
    this.url = `http://127.0.0.1:${String(port)}`
  }

  static async create(): Promise<World> {
    return new World(await temporaryFolder('crash'), await freePort())
  }

  /** Starts the server and waits until it is ready; says how long that took, in ms. */
  async start(): Promise<number> {
    const started = performance.now()
    const main = new URL('../../src/cli/main.ts', import.meta.url).pathname
    const child = spawn(process.execPath, ['--import', 'tsx', main, 'serve'], {
      env: {
        ...process.env,
        DATABASE_URL: '',
        TAILRACE_DATA_DIR: this.#folder,
        TAILRACE_PORT: String(this.#port),
        TAILRACE_LOG_LEVEL: 'error',
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    this.#child = child
    while (!(await this.#isReady())) {
      if (child.exitCode !== null)
        throw new Error(`the server ended with ${String(child.exitCode)}`)
      await sleep(20)
    }
    return performance.now() - started
  }

  async #isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/readyz`)).ok
    } catch {
      return false
    }
  }

  get serverIsRunning(): boolean {
    return (
      this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
    )
  }

  async killServer(): Promise<void> {
    const child = this.#child
    if (!child) throw new Error('no server runs')
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  /** Kills the postmaster; its backends notice and end by themselves. */
  async killPostgres(): Promise<void> {
    const text = await readFile(join(this.#folder, 'postgres', 'cluster', 'postmaster.pid'), 'utf8')
    process.kill(Number(text.split('\n', 1)[0]), 'SIGKILL')
  }

  async close(): Promise<void> {
    const child = this.#child
    if (child && this.serverIsRunning) {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    }
    await rm(this.#folder, { recursive: true, force: true })
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address ? address.port : 0
}
