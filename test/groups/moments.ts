import { byPartition, type PartitionState, type Processed } from './history.ts'

/** Two clocks are read, each cut to its ms. */
export const SLACK_MS = 2

/** A record's place, for people and for keys. */
export const at = (partition: number, offset: number) => `${String(partition)}:${String(offset)}`

/** When all below an offset had been processed; Infinity where that never was. */
export function whenDone(
  processed: readonly Processed[],
): (partition: number, offset: number) => number {
  const moments = new Map(
    [...byPartition(processed)].map(([partition, list]) => [partition, prefixes(list)]),
  )
  return (partition, offset) =>
    offset === 0 ? 0 : (moments.get(partition)?.[offset - 1] ?? Infinity)
}

/** For each offset, when it and all below it had been processed for the first time. */
function prefixes(processed: readonly Processed[]): number[] {
  const first: (number | undefined)[] = []
  for (const { offset, at: moment } of processed) {
    first[offset] = Math.min(first[offset] ?? Infinity, moment)
  }
  let latest = 0
  return Array.from(first, (moment = Infinity) => (latest = Math.max(latest, moment)))
}

/** When a partition was committed up to an offset, or further. */
export function whenCommitted(
  states: readonly PartitionState[],
): (partition: number, offset: number) => number {
  const raises = new Map(
    [...byPartition(states)].map(([partition, history]) => [
      partition,
      history.filter(({ committed }, k) => committed !== (history[k - 1]?.committed ?? null)),
    ]),
  )
  return (partition, offset) => {
    const list = raises.get(partition) ?? []
    return (
      list.find(({ committed }) => (committed ?? 0) >= offset)?.at ?? (offset === 0 ? 0 : Infinity)
    )
  }
}
