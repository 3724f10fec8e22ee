import {
  byPartition,
  groupBy,
  type CommitAttempt,
  type Delivery,
  type PartitionOffset,
  type PartitionState,
} from './history.ts'
import { at, SLACK_MS, whenCommitted } from './moments.ts'
import { tenures, type Tenure } from './tenures.ts'

/** Nobody shares a partition: in one generation it has one owner, and generations only grow. */
export function judgeOwners(states: readonly PartitionState[]): string[] {
  return [...byPartition(states)].flatMap(([partition, history]) => {
    const wrong: string[] = []
    const owners = new Map<number, string>()
    let newest = 0
    for (const { owner, owner_generation } of history) {
      const place = `partition ${String(partition)} in generation ${String(owner_generation)}`
      if (owner_generation < newest) wrong.push(`${place} after ${String(newest)}`)
      newest = owner_generation
      if (owner === null) continue
      const other = owners.get(owner_generation) ?? owner
      if (other !== owner) wrong.push(`${place} has two owners, ${other} and ${owner}`)
      owners.set(owner_generation, owner)
    }
    return wrong
  })
}

/** Records were handed to those who had the partition then, and not again to one who had passed it on. */
export function judgeDeliveries(
  deliveries: readonly Delivery[],
  states: readonly PartitionState[],
): string[] {
  const owned = tenures(states)
  const strange = deliveries.filter((one) => !wasOwner(owned.get(one.partition), one, one))
  return [
    ...strange.map((one) => `${describe(one)}, which was not its own`),
    ...[...byPartition(deliveries).values()].flatMap(returns),
  ]
}

function returns(deliveries: readonly Delivery[]): string[] {
  const wrong: string[] = []
  for (const generation of groupBy(deliveries, ({ generation_id }) => generation_id).values()) {
    const members = [...groupBy(generation, ({ member_id }) => member_id).values()]
    for (const mine of members) {
      const others = generation.filter(({ member_id }) => member_id !== mine[0]?.member_id)
      const first = Math.min(...mine.map(({ answered }) => answered))
      const between = others.filter(({ sent }) => sent > first)
      const passedOn = Math.min(...between.map(({ answered }) => answered))
      const again = mine.find(({ sent }) => sent > passedOn)
      if (again) wrong.push(`${describe(again)}, after another had it in that generation`)
    }
  }
  return wrong
}

/** Who had lost a partition, or never had it in the generation it names, committed nothing of it. */
export function judgeFences(
  commits: readonly CommitAttempt[],
  states: readonly PartitionState[],
): string[] {
  const owned = tenures(states)
  const held = whenCommitted(states)
  const isIdle = (
    { is_explicit, answered }: CommitAttempt,
    { partition, offset }: PartitionOffset,
  ) => !is_explicit && held(partition, offset) <= answered + SLACK_MS
  const accepted = commits.filter(({ outcome }) => outcome === 'ok')
  return [
    ...accepted.flatMap((commit) =>
      commit.offsets
        .filter(
          (one) => !wasOwner(owned.get(one.partition), commit, commit) && !isIdle(commit, one),
        )
        .map(({ partition, offset }) => {
          return `${commit.process} committed ${at(partition, offset)}, which was not its own`
        }),
    ),
    ...unexplained(commits, states),
  ]
}

/** Commits that by the time they were sent had been lost already. */
export function lateCommits(
  commits: readonly CommitAttempt[],
  states: readonly PartitionState[],
): CommitAttempt[] {
  const owned = tenures(states)
  return commits.filter((commit) =>
    commit.offsets.some(({ partition }) => {
      const list = owned.get(partition)
      return !wasOwner(list, commit, { sent: commit.sent, answered: commit.sent })
    }),
  )
}

/** What is committed, its owner has committed, knowing that it is; and nobody who was told that he has not. */
function unexplained(
  commits: readonly CommitAttempt[],
  states: readonly PartitionState[],
): string[] {
  const tries = groupBy(
    commits.flatMap((commit) => commit.offsets.map((one) => ({ ...one, commit }))),
    ({ partition, offset }) => at(partition, offset),
  )
  return [...byPartition(states)].flatMap(([partition, history]) =>
    history.flatMap(({ at: moment, committed }, k) => {
      const before = history[k - 1]
      if ((committed ?? 0) <= (before?.committed ?? 0)) return []
      const where = at(partition, committed ?? 0)
      const asking = (tries.get(where) ?? [])
        .map(({ commit }) => commit)
        .filter((commit) => overlaps(commit, { from: moment, to: moment }))
      if (asking.some((commit) => explains(commit, before))) return []
      const owner = `${String(before?.owner)}, ${String(before?.owner_generation)}`
      const who = asking.map(tell).join(', ') || 'nobody'
      return [`${where} was committed in the name of ${owner}; asked for by ${who}`]
    }),
  )
}

function explains(
  { outcome, member_id, generation_id }: CommitAttempt,
  before: PartitionState | undefined,
): boolean {
  const isOwner = before?.owner === member_id && before.owner_generation <= generation_id
  return isOwner && (outcome === 'ok' || outcome === 'unknown')
}

const tell = ({ process, member_id, generation_id, outcome, said }: CommitAttempt) =>
  `${process} (${member_id}, ${String(generation_id)}), who was told ${outcome} ${said}`

interface Interval {
  sent: number
  answered: number
}

function overlaps({ sent, answered }: Interval, { from, to }: { from: number; to: number }) {
  return from <= answered + SLACK_MS && to >= sent - SLACK_MS
}

function wasOwner(
  list: readonly Tenure[] | undefined,
  { member_id, generation_id }: { member_id: string; generation_id: number },
  when: Interval,
): boolean {
  return (list ?? []).some(
    (tenure) =>
      tenure.owner === member_id &&
      tenure.owner_generation <= generation_id &&
      overlaps(when, tenure),
  )
}

const describe = ({ process, member_id, generation_id, partition, first, next }: Delivery) =>
  `${process} (${member_id}, generation ${String(generation_id)}) was given ` +
  `${at(partition, first)} to ${String(next)}`
