import { setTimeout as sleep } from 'node:timers/promises'

/** The promise's outcome, where the server has promised one within this time. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  const over = new AbortController()
  const late = sleep(ms, undefined, { signal: over.signal }).then(
    () => {
      throw new Error(`no answer within ${String(ms)} ms`)
    },
    () => new Promise<never>(() => undefined),
  )
  try {
    return await Promise.race([promise, late])
  } finally {
    over.abort()
  }
}

/** Asks again and again until it is so. The test's own time-out is the bound. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(10)
}
