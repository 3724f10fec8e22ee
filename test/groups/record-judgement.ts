import { byPartition, type CommitAttempt, type PartitionState, type Processed } from './history.ts'
import { at, SLACK_MS, whenCommitted, whenDone } from './moments.ts'

/** Every record was processed by somebody, and was the one that was produced. */
export function judgeProcessed(
  log: ReadonlyMap<number, readonly string[]>,
  processed: readonly Processed[],
): string[] {
  const wrong: string[] = []
  const seen = new Set<string>()
  for (const { partition, offset, id } of processed) {
    const stored = log.get(partition)?.[offset]
    if (stored !== id)
      wrong.push(`${at(partition, offset)} was read as ${id}, is ${String(stored)}`)
    seen.add(at(partition, offset))
  }
  for (const [partition, ids] of log) {
    ids.forEach((id, offset) => {
      if (!seen.has(at(partition, offset))) {
        wrong.push(`${at(partition, offset)}, ${id}, was never processed`)
      }
    })
  }
  return wrong
}

/** Whatever the database ever held as committed had been processed before, and never went back. */
export function judgeCommitted(
  processed: readonly Processed[],
  states: readonly PartitionState[],
): string[] {
  const done = whenDone(processed)
  return [...byPartition(states)].flatMap(([partition, history]) => {
    let before = 0
    return history.flatMap(({ at: moment, committed, owner }) => {
      const now = committed ?? 0
      const wrong: string[] = []
      if (now < before) wrong.push(`${at(partition, before)} went back to ${String(now)}`)
      if (now > before && done(partition, now) > moment + SLACK_MS) {
        wrong.push(`${at(partition, now)} was committed unprocessed, then ${String(owner)}'s`)
      }
      before = now
      return wrong
    })
  })
}

/** A commit that was acknowledged was of processed records, and is held from then on. */
export function judgeAcknowledged(
  processed: readonly Processed[],
  commits: readonly CommitAttempt[],
  states: readonly PartitionState[],
): string[] {
  const done = whenDone(processed)
  const held = whenCommitted(states)
  return commits
    .filter(({ outcome }) => outcome === 'ok')
    .flatMap(({ process, offsets, sent, answered }) =>
      offsets.flatMap(({ partition, offset }) => [
        ...(done(partition, offset) > sent
          ? [`${process} committed ${at(partition, offset)} unprocessed`]
          : []),
        ...(held(partition, offset) > answered + SLACK_MS
          ? [`${at(partition, offset)} was acknowledged to ${process} and not committed`]
          : []),
      ]),
    )
}
