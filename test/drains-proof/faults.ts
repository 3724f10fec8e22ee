import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../tails/random.ts'
import type { Site, Stopped } from './site.ts'

export type FaultName = 'server_killed' | 'postgres_killed' | 'postgres_frozen' | 'rolling_restart'

const FROZEN_MS = 10_000
/** In between all is well, for long enough that senders come to rest. */
const CALM_MS = 6_000

/** What befalls a site, each fault once a round, in an order of chance. */
export class Faults {
  /** How servers ended that were told to stop. */
  readonly stopped: Stopped[] = []
  readonly #site: Site
  readonly #random: Random

  constructor(site: Site, random: Random) {
    this.#site = site
    this.#random = random
  }

  /** Whole rounds, as long as there is more; `felt` is told of each fault after the calm behind it. */
  async rage(more: () => boolean, felt: (name: FaultName, ms: number) => void): Promise<void> {
    await sleep(CALM_MS)
    while (more()) {
      for (const name of this.#inAnyOrder()) {
        const began = performance.now()
        await this.#happen(name)
        const ms = performance.now() - began
        await sleep(CALM_MS + this.#random.below(CALM_MS / 2))
        felt(name, ms)
      }
    }
  }

  #inAnyOrder(): FaultName[] {
    const names: FaultName[] = [
      'server_killed',
      'postgres_killed',
      'postgres_frozen',
      'rolling_restart',
    ]
    const sorted = names.map((name) => ({ name, place: this.#random.next() }))
    return sorted.sort((a, b) => a.place - b.place).map(({ name }) => name)
  }

  async #happen(name: FaultName): Promise<void> {
    switch (name) {
      case 'server_killed':
        return this.#site.kill()
      case 'postgres_killed':
        return this.#site.killPostgres()
      case 'postgres_frozen':
        await this.#site.postgres.freeze()
        await sleep(FROZEN_MS)
        this.#site.postgres.thaw()
        return
      case 'rolling_restart':
        this.stopped.push(await this.#site.roll())
    }
  }
}
