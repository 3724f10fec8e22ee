/** A living server says something every 15 seconds; two heartbeats may be late or lost. */
const SILENCE_MS = 40_000

/** The connection broke, ended too early or fell silent: it is worth another try. */
export class ConnectionLost extends Error {
  constructor(cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super(`The connection of the tail was lost: ${reason}`, { cause })
    this.name = 'ConnectionLost'
  }
}

/**
 * How long something lives: until it ends, until what it is part of ends, or until nothing arrives any more.
 * Not `AbortSignal.any`, which Node 20 keeps in memory as long as the longest-lived of its signals.
 */
export class Lifeline {
  readonly #controller = new AbortController()
  readonly #parent: AbortSignal | undefined
  readonly #follow = () => this.#controller.abort(this.#parent?.reason)

  constructor(parent?: AbortSignal) {
    this.#parent = parent
    if (parent?.aborted) this.#follow()
    else parent?.addEventListener('abort', this.#follow)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** What arrives next. The clock runs only while somebody waits: a slow reader is not a silent server. */
  async arrival<T>(arriving: Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.#controller.abort(silence()), SILENCE_MS)
    try {
      return await arriving
    } catch (error) {
      throw new ConnectionLost(this.signal.aborted ? this.signal.reason : error)
    } finally {
      clearTimeout(timer)
    }
  }

  /** Ends it; closes the connection if it is one. */
  end(): void {
    this.#parent?.removeEventListener('abort', this.#follow)
    this.#controller.abort()
  }
}

function silence(): Error {
  return new Error(`nothing arrived for ${SILENCE_MS / 1000} seconds`)
}
