import type { Assignor, GroupDescription, GroupSummary } from '../../contract/groups.ts'
import type { PageQuery } from '../../contract/paging.ts'
import * as store from '../../store/groups.ts'
import type { StorePools } from '../../store/pool.ts'
import { pageByName } from '../page-by-name.ts'
import { told } from '../told.ts'
import { assignmentOf } from './assignment.ts'
import { requireSet, unknownGroup } from './commit.ts'
import { handOverState } from './hand-over.ts'

interface Broker {
  pools: StorePools
}

function summary(group: store.GroupRow): GroupSummary {
  return {
    group: group.name,
    state: group.members === 0 ? 'empty' : group.on_the_way > 0 ? 'rebalancing' : 'stable',
    members: group.members,
    generation_id: group.generation_id,
    assignor: group.assignor as Assignor,
    created_at: group.created_at.toISOString(),
  }
}

/** A page of groups by name, and the name after which the next page begins. */
export function listGroups(
  broker: Broker,
  page: PageQuery,
): Promise<{ groups: GroupSummary[]; next_after: string | undefined }> {
  return told(false, async () => {
    const { rows, next_after } = await pageByName(page, (part) =>
      store.listGroups(broker.pools, part),
    )
    return { groups: rows.map(summary), next_after }
  })
}

/** A group with its members, who reads what, and how far that is behind. */
export function describeGroup(broker: Broker, name: string): Promise<GroupDescription> {
  return told(false, async () => {
    const row = await store.getGroup(broker.pools, name)
    if (!row) throw unknownGroup(name)
    const members = await store.groupMembers(broker.pools, row.group_id)
    const held = await store.groupPartitions(broker.pools, row.group_id)
    const partitions = held.map(describePartition)
    const { members: _, ...rest } = summary(row)
    return {
      ...rest,
      lag: partitions.reduce((sum, { lag }) => sum + lag, 0),
      lag_ms: Math.max(0, ...partitions.map(({ lag_ms }) => lag_ms)),
      members: members.map(({ joined_at, seen_at, ...member }) => ({
        ...member,
        joined_at: joined_at.toISOString(),
        seen_at: seen_at.toISOString(),
        assignment: assignmentOf(held.filter(({ owner }) => owner === member.member_id)),
      })),
      partitions,
    }
  })
}

function describePartition(row: store.GroupPartitionRow): GroupDescription['partitions'][number] {
  const { topic, partition, owner, target, committed, log_start_offset, high_watermark } = row
  const from = Math.max(committed ?? 0, log_start_offset)
  return {
    topic,
    partition,
    member_id: owner,
    ...(target !== null && handOverState(row) === 'revoked' ? { goes_to: target } : {}),
    committed,
    committed_at: row.committed_at?.toISOString() ?? null,
    log_start_offset,
    high_watermark,
    lag: Math.max(0, high_watermark - from),
    lag_ms: high_watermark > from ? (row.waiting_ms ?? 0) : 0,
  }
}

export function deleteGroup(broker: Broker, name: string): Promise<void> {
  return told(true, async () => {
    requireSet(await store.deleteGroup(broker.pools, name), name)
  })
}
