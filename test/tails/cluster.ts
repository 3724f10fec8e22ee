import { setTimeout as sleep } from 'node:timers/promises'
import { startServerProcess, type ServerProcess } from '../support/process.ts'
import type { Random } from './random.ts'

/** Server processes over one database, to be killed and started again. */
export class Cluster {
  kills = 0
  freezes = 0
  readonly #environment: Record<string, string>
  readonly #nodes: ServerProcess[] = []

  private constructor(databaseUrl: string) {
    this.#environment = { DATABASE_URL: databaseUrl, TAILRACE_LOG_LEVEL: 'error' }
  }

  static async start(count: number, databaseUrl: string): Promise<Cluster> {
    const cluster = new Cluster(databaseUrl)
    for (let k = 0; k < count; k++) await cluster.#start(k)
    return cluster
  }

  async #start(index: number): Promise<void> {
    this.#nodes[index] = await startServerProcess(this.#environment)
  }

  /** Of some node, which may be dead at the moment. */
  anyUrl(random: Random): string {
    return random.pick(this.#nodes).url
  }

  /** kill -9 of some node, and a new one in its place; resolves when that one is there. */
  async killOne(random: Random): Promise<void> {
    const index = random.below(this.#nodes.length)
    await this.#nodes[index]?.stop('SIGKILL')
    this.kills++
    await this.#start(index)
  }

  /** Stops some node in its tracks for so long; what it was asked to do, it does later. */
  async freezeOne(random: Random, ms: number): Promise<void> {
    const { child } = random.pick(this.#nodes)
    child.kill('SIGSTOP')
    await sleep(ms)
    child.kill('SIGCONT')
    this.freezes++
  }

  /** What the nodes complained of. */
  get complaints(): string {
    return this.#nodes.map((node) => node.stderr()).join('')
  }

  async stop(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.stop()))
  }
}
