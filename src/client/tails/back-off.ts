import { CallError } from '../call.ts'
import { ConnectionLost } from './lifeline.ts'

const FIRST_MS = 100
const MOST_MS = 10_000
/** A server that asks for a longer wait, perhaps by mistake, is asked again all the same. */
const MOST_RETRY_AFTER_S = 60

/** May another connection succeed where this one failed? */
export function isRetriable(error: unknown): error is ConnectionLost | CallError {
  if (error instanceof ConnectionLost) return true
  if (!(error instanceof CallError)) return false
  // Without a problem object it was something between here and the server that answered.
  return error.problem?.retriable ?? (error.status >= 500 || [408, 429].includes(error.status))
}

/**
 * How long to wait before each try: exponential with full jitter, so that the readers of a server that comes
 * back do not come all at once.
 */
export class BackOff {
  #failures = 0

  /** A connection was of use: the next failure is a first one again. */
  reset(): void {
    this.#failures = 0
  }

  /** `atOnce`: the server asked us to come again, which is no failure unless it was of no use before. */
  next(error: unknown, atOnce: boolean): number {
    const most = Math.min(FIRST_MS * 2 ** this.#failures, MOST_MS)
    this.#failures++
    if (atOnce && this.#failures === 1) return 0
    return Math.round(askedMs(error) + Math.random() * most)
  }
}

function askedMs(error: unknown): number {
  const seconds = error instanceof CallError ? (error.retry_after_s ?? 0) : 0
  return Math.min(seconds, MOST_RETRY_AFTER_S) * 1000
}

/** Waits, unless and until the signal says not to; then throws its reason. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  if (ms === 0) return
  await new Promise<void>((resolve) => {
    const over = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', over)
      resolve()
    }
    const timer = setTimeout(over, ms)
    signal.addEventListener('abort', over)
  })
  signal.throwIfAborted()
}
