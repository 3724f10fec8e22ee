/** Resolves after `ms`, or at once when aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve()
      return
    }
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
}

const FIRST_MS = 50
const LAST_MS = 2_000

/** Ever longer pauses between tries, until one succeeds. */
export class Backoff {
  #ms = FIRST_MS

  succeeded(): void {
    this.#ms = FIRST_MS
  }

  async failed(signal: AbortSignal): Promise<void> {
    // Jitter, or all readers would come back to the database in the same moment.
    await pause(this.#ms * (0.5 + Math.random() / 2), signal)
    this.#ms = Math.min(this.#ms * 2, LAST_MS)
  }
}
