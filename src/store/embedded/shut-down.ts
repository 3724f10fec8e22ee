import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Three ways to end a postmaster, from kind to cruel. SIGINT is a fast shutdown: clients are cut
 * off, a checkpoint is written. SIGQUIT is an immediate one: no checkpoint, the next start recovers
 * from the WAL, nothing acknowledged is lost. SIGKILL is for one that does not even hear that.
 * SIGTERM is missing because it waits for every client to leave by itself.
 */
const STEPS = [
  { signal: 'SIGINT', patience_ms: 10_000 },
  { signal: 'SIGQUIT', patience_ms: 5_000 },
  { signal: 'SIGKILL', patience_ms: 5_000 },
] as const

const POLL_MS = 10

/** False when not even SIGKILL helped, as with a process stuck in the kernel. */
export async function shutDown(
  signal: (name: NodeJS.Signals) => void,
  isGone: () => boolean,
): Promise<boolean> {
  for (const step of STEPS) {
    if (isGone()) return true
    signal(step.signal)
    if (await becomesTrue(isGone, step.patience_ms)) return true
  }
  return isGone()
}

export async function becomesTrue(isSo: () => boolean, patience_ms: number): Promise<boolean> {
  const deadline = Date.now() + patience_ms
  while (!isSo()) {
    if (Date.now() > deadline) return false
    await sleep(POLL_MS)
  }
  return true
}
