import { byPartition, type MemberChange, type PartitionState } from './history.ts'

/** A time for which a partition was somebody's, in one generation. */
export interface Tenure {
  owner: string | null
  owner_generation: number
  from: number
  /** Infinity for the last. */
  to: number
}

/** Who had each partition, from when to when. */
export function tenures(states: readonly PartitionState[]): Map<number, Tenure[]> {
  return new Map(
    [...byPartition(states)].map(([partition, history]) => {
      const list: Tenure[] = []
      for (const { owner, owner_generation, at } of history) {
        const last = list.at(-1)
        if (last?.owner === owner && last.owner_generation === owner_generation) continue
        if (last) last.to = at
        list.push({ owner, owner_generation, from: at, to: Infinity })
      }
      return [partition, list]
    }),
  )
}

interface Life {
  from: number
  to: number
}

/** From when to when each member lived: an expired one until the end of its session. */
function livesOf(changes: readonly MemberChange[]): Map<string, Life[]> {
  const lives = new Map<string, Life[]>()
  for (const { at, member_id, is_member, lease_until } of changes) {
    const list = lives.get(member_id) ?? []
    lives.set(member_id, list)
    const last = list.at(-1)
    if (is_member) list.push({ from: at, to: Infinity })
    else if (last) last.to = Math.min(at, lease_until)
  }
  return lives
}

/** How long after a member's end the partitions it had waited for an owner that lived, in ms. */
export function rebalanceTimes(
  states: readonly PartitionState[],
  changes: readonly MemberChange[],
  until: number,
): { ms: number[]; never: number } {
  const lives = livesOf(changes)
  const owned = [...tenures(states).values()]
  const times: number[] = []
  let never = 0
  for (const [member, list] of lives) {
    for (const { to } of list) {
      const lost = owned.filter((one) => one.some((tenure) => hadAtEnd(tenure, member, to)))
      if (to > until || lost.length === 0) continue
      const moments = lost.map((one) => nextOwner(one, to, lives))
      if (moments.includes(Infinity)) never++
      else times.push(Math.max(...moments) - to)
    }
  }
  return { ms: times, never }
}

/** It was that member's when it ended; one that leaves lets go in the same transaction. */
function hadAtEnd({ owner, from, to }: Tenure, member: string, end: number): boolean {
  return owner === member && from <= end && to >= end - 5
}

function nextOwner(
  tenuresOfOne: readonly Tenure[],
  after: number,
  lives: ReadonlyMap<string, Life[]>,
): number {
  const moments = tenuresOfOne.flatMap(({ owner, from, to }) =>
    (lives.get(owner ?? '') ?? []).flatMap((life) => {
      const begins = Math.max(from, life.from, after)
      return begins < Math.min(to, life.to) ? [begins] : []
    }),
  )
  return Math.min(Infinity, ...moments)
}
