import type { Assignment } from '../../contract/groups.ts'
import type { MemberState, OwnedPartition } from '../../store/group-offsets.ts'

/** Partitions by topic. */
export function assignmentOf(
  owned: readonly Pick<OwnedPartition, 'topic' | 'partition'>[],
): Assignment {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of owned) {
    const partitions = topics.get(topic)
    if (partitions) partitions.push(partition)
    else topics.set(topic, [partition])
  }
  return [...topics].map(([topic, partitions]) => ({ topic, partitions }))
}

/** What a member reads on: all it has but what is being handed over. */
export function keptBy({ owned }: Pick<MemberState, 'owned'>): OwnedPartition[] {
  return owned.filter(({ is_revoked }) => !is_revoked)
}
