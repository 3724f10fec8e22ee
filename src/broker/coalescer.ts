import { mayTryAgain } from '../store/sqlstate.ts'

/**
 * Puts calls that come at the same time into one statement: one is under way, what comes meanwhile goes into the
 * next. A call resolves with its own outcome; one that failed as a whole fails each.
 */
export class Coalescer<Call, Outcome> {
  readonly #flush: (calls: readonly Call[]) => Promise<Outcome[]>
  readonly #most: number
  #waiting: {
    call: Call
    resolve: (outcome: Outcome) => void
    reject: (error: unknown) => void
  }[] = []
  #flushing = false

  /** `most` calls at once. The outcomes are in the order of the calls. */
  constructor(flush: (calls: readonly Call[]) => Promise<Outcome[]>, most: number) {
    this.#flush = flush
    this.#most = most
  }

  add(call: Call): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ call, resolve, reject })
      if (!this.#flushing) void this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#flushing = true
    while (this.#waiting.length > 0) {
      const taken = this.#waiting.splice(0, this.#most)
      try {
        const outcomes = await this.#flushTwice(taken.map(({ call }) => call))
        taken.forEach(({ resolve }, k) => resolve(outcomes[k] as Outcome))
      } catch (error) {
        for (const { reject } of taken) reject(error)
      }
    }
    this.#flushing = false
  }

  async #flushTwice(calls: readonly Call[]): Promise<Outcome[]> {
    try {
      return await this.#flush(calls)
    } catch (error) {
      if (!mayTryAgain(error)) throw error
      return this.#flush(calls)
    }
  }
}
