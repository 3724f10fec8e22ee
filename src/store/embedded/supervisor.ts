import { setTimeout as sleep } from 'node:timers/promises'
import { EmbeddedPostgresError } from './errors.ts'
import type { Installation } from './installation.ts'
import { PostmasterFailed, startPostmaster } from './postmaster-start.ts'
import type { Postmaster } from './postmaster.ts'
import { shutDown } from './shut-down.ts'

/** How long the first start may take: recovery after a crash replays up to max_wal_size. */
const FIRST_START_MS = 60_000

/** How long the first start repeats what fails for a passing reason. */
const PASSING_MS = 10_000

const SHORTEST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 2_000

/** One that ran this long is well again: should it fall once more, it is started at once. */
const STEADY_MS = 1_000

/**
 * Keeps one Postgres up.
 *
 *   start()   idle → starting → up; a failure is thrown, nothing is left running
 *   up        → the postmaster ends unasked → fallen
 *   fallen    → starting at once; failing that, after 100, 200, 400 … 2000 ms, for ever
 *   stop()    from every state → stopped, for good; the only way there
 */
export class Supervisor {
  readonly #installation: Installation
  readonly #stopping = new AbortController()
  #current: Postmaster | undefined
  #keeping: Promise<void> | undefined
  #short_lives = 0

  constructor(installation: Installation) {
    this.#installation = installation
  }

  pid(): number | undefined {
    return this.#current?.hasEnded() === false ? this.#current.pid : undefined
  }

  async start(): Promise<void> {
    const give_up_at = Date.now() + PASSING_MS
    for (;;) {
      try {
        await this.#attempt(FIRST_START_MS)
        return
      } catch (error) {
        await this.#shutDownCurrent()
        if (!isPassing(error) || Date.now() > give_up_at) throw error
      }
      await sleep(SHORTEST_PAUSE_MS / 2)
    }
  }

  /** From now on a postmaster that ends is started again. */
  keepUp(): void {
    this.#keeping ??= this.#keep()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#shutDownCurrent()
    await this.#keeping
    await this.#shutDownCurrent() // one that was being spawned in that very moment
  }

  async #keep(): Promise<void> {
    while (this.#current && !this.#isStopping()) {
      const { pid, ended } = this.#current
      const up_since = Date.now()
      const how = await ended
      if (this.#isStopping()) return
      this.#installation.log.error({ pid, how }, 'Postgres ended unasked; starting it again')
      this.#short_lives = Date.now() - up_since < STEADY_MS ? this.#short_lives + 1 : 0
      await this.#startAgain()
    }
  }

  async #startAgain(): Promise<void> {
    const { log } = this.#installation
    for (let failures = this.#short_lives; await this.#pause(failures); failures += 1) {
      try {
        await this.#attempt(Infinity)
        log.warn({ pid: this.pid() }, 'Postgres is back')
        return
      } catch (error) {
        if (!this.#isStopping()) log.warn(reasonOf(error), 'Postgres is not back yet')
      }
    }
  }

  /** False when there is nothing to wait for any more. */
  async #pause(failures: number): Promise<boolean> {
    const pause_ms = failures === 0 ? 0 : SHORTEST_PAUSE_MS * 2 ** (failures - 1)
    const options = { signal: this.#stopping.signal, ref: false }
    await sleep(Math.min(pause_ms, LONGEST_PAUSE_MS), undefined, options).catch(() => undefined)
    return !this.#isStopping()
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted
  }

  async #attempt(patience_ms: number): Promise<void> {
    await startPostmaster(this.#installation, {
      patience_ms,
      stopping: this.#stopping.signal,
      onSpawn: (postmaster) => {
        this.#current = postmaster
      },
    })
  }

  async #shutDownCurrent(): Promise<void> {
    const current = this.#current
    if (!current) return
    if (await shutDown(current.signal, current.hasEnded)) return
    throw new EmbeddedPostgresError(
      `Postgres (process ${current.pid}) does not end. Type: kill -9 ${current.pid}`,
    )
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof PostmasterFailed && error.is_passing
}

function reasonOf(error: unknown): object {
  return isPassing(error) ? { reason: 'the old one has not quite gone' } : { err: error }
}
