import { LIMITS } from '../../contract/limits.ts'
import { ProblemError } from '../../contract/problem-error.ts'
import type { Database } from '../../store/database.ts'
import { getDrain, type DrainRow } from '../../store/drains.ts'
import { storeProblem } from '../../store/sqlstate.ts'

/** Past this many drains the oldest answer is forgotten. */
const REMEMBERED = 10_000

export function unknownDrain(name: string, written?: 'no'): ProblemError {
  return new ProblemError('unknown_drain', `There is no drain ${name}.`, written && { written })
}

/**
 * What this node knows of drains: an answer is trusted for LIMITS.topic_cache_ms, and for as long as the database
 * is away, so that senders are told apart meanwhile and what they send can be held.
 */
export class DrainDirectory {
  readonly #database: Database
  readonly #entries = new Map<string, { drain: DrainRow; checked_at: number }>()
  readonly #lookups = new Map<string, Promise<DrainRow | undefined>>()

  constructor(database: Database) {
    this.#database = database
  }

  /** The drain of this name, if there is one; throws store_unavailable only for one not known before. */
  find(name: string): Promise<DrainRow | undefined> {
    const entry = this.#entries.get(name)
    if (entry && performance.now() - entry.checked_at < LIMITS.topic_cache_ms) {
      return Promise.resolve(entry.drain)
    }
    const lookup = this.latest(name)
    // Known, but not of late: asked for the next caller. This one does not wait for a database that is away.
    if (!entry) return lookup
    lookup.catch(() => undefined)
    return Promise.race([lookup.catch(() => entry.drain), soon(entry.drain)])
  }

  /** The drain as the database has it, whatever this node knows of it; who asks meanwhile shares the answer. */
  latest(name: string): Promise<DrainRow | undefined> {
    let lookup = this.#lookups.get(name)
    if (!lookup) {
      lookup = this.#lookUp(name).finally(() => this.#lookups.delete(name))
      this.#lookups.set(name, lookup)
    }
    return lookup
  }

  async #lookUp(name: string): Promise<DrainRow | undefined> {
    try {
      const drain = await getDrain(this.#database, name)
      if (drain) this.remember(drain)
      else this.forget(name)
      return drain
    } catch (error) {
      throw storeProblem(error, 'no')
    }
  }

  remember(drain: DrainRow): void {
    this.#entries.delete(drain.name)
    this.#entries.set(drain.name, { drain, checked_at: performance.now() })
    const [oldest] = this.#entries.keys()
    if (this.#entries.size > REMEMBERED && oldest !== undefined) this.#entries.delete(oldest)
  }

  forget(name: string): void {
    this.#entries.delete(name)
  }
}

/** How long a caller waits for news of a drain that is known. */
const NEWS_MS = 500

function soon(drain: DrainRow): Promise<DrainRow> {
  return new Promise((resolve) => setTimeout(() => resolve(drain), NEWS_MS).unref())
}
