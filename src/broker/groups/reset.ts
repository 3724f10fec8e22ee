import type { ResetRequest, ResetResponse } from '../../contract/groups.ts'
import { invalidField } from '../../contract/problem-error.ts'
import { parseTimestamp } from '../../records/timestamp.ts'
import { partitionBounds, type PartitionBounds } from '../../store/fetch-batches.ts'
import { setGroupOffsets } from '../../store/group-offsets.ts'
import { getGroup, groupPartitions } from '../../store/groups.ts'
import { offsetForTimestamp, type Target } from '../fetch.ts'
import { requireInLog } from '../log-bounds.ts'
import { placeOf } from '../place.ts'
import { told } from '../told.ts'
import { unknownPartition, unknownTopic } from '../topic-directory.ts'
import { requireSet, unknownGroup } from './commit.ts'
import type { GroupsBroker } from './groups-broker.ts'

/** Moves a group within a topic, or says what that would do. Members go on from there with their next poll. */
export function resetGroup(
  broker: GroupsBroker,
  name: string,
  { topic, partitions, to, dry_run }: ResetRequest,
): Promise<ResetResponse> {
  return told(true, async () => {
    const group = await getGroup(broker.pools, name)
    if (!group) throw unknownGroup(name, 'no')
    const rows = await groupPartitions(broker.pools, group.group_id)
    const committed = new Map(rows.map((row) => [row.partition_id, row.committed]))
    const targets = await findTargets(broker, topic, partitions)
    const offsets: (ResetResponse['offsets'][number] & { target: Target })[] = []
    for (const [target, bounds] of await withBounds(broker, targets)) {
      const before = committed.get(target.partition_id) ?? null
      const offset = await offsetTo(broker, { target, bounds, before, to })
      offsets.push({ target, ...changeOf(target.partition, bounds, before, offset) })
    }
    if (!dry_run) {
      const placed = offsets.map(({ target, offset }) => ({ ...target, offset }))
      const status = await setGroupOffsets(broker.pools, name, placed, {
        create: false,
        fence: true,
      })
      requireSet(status, name)
      broker.groups.watch.tell(group.group_id)
    }
    const sum = (of: 'replayed' | 'skipped') =>
      offsets.reduce((total, change) => total + change[of], 0)
    return {
      group: name,
      topic,
      dry_run,
      replayed: sum('replayed'),
      skipped: sum('skipped'),
      offsets: offsets.map(({ target: _, ...change }) => change),
    }
  })
}

async function findTargets(
  broker: GroupsBroker,
  name: string,
  partitions: readonly number[] | undefined,
): Promise<Target[]> {
  const topic = await broker.topics.require(name)
  const wanted = partitions ?? topic.partition_ids.map((_, partition) => partition)
  return [...new Set(wanted)].map((partition) => {
    const partition_id = topic.partition_ids[partition]
    if (partition_id === undefined) throw unknownPartition(topic, partition, 'no')
    return { topic, partition, partition_id }
  })
}

async function withBounds(
  broker: GroupsBroker,
  targets: readonly Target[],
): Promise<[Target, PartitionBounds][]> {
  const ids = targets.map(({ partition_id }) => partition_id)
  const found = await partitionBounds(broker.pools, ids)
  return targets.map((target) => {
    const bounds = found.find(({ partition_id }) => partition_id === target.partition_id)
    if (!bounds) throw unknownTopic(target.topic.name, 'no')
    return [target, bounds]
  })
}

interface Wanted {
  target: Target
  bounds: PartitionBounds
  before: number | null
  to: ResetRequest['to']
}

async function offsetTo(
  broker: GroupsBroker,
  { target, bounds, before, to }: Wanted,
): Promise<number> {
  const { log_start_offset, high_watermark } = bounds
  if (to === 'earliest') return log_start_offset
  if (to === 'latest') return high_watermark
  if ('shift' in to) {
    const shifted = (before ?? log_start_offset) + to.shift
    return Math.min(Math.max(shifted, log_start_offset), high_watermark)
  }
  if ('timestamp' in to) {
    const timestamp = parseTimestamp(String(to.timestamp))
    if (timestamp === undefined) {
      throw invalidField('body', '/to/timestamp', 'must be RFC 3339 or epoch milliseconds')
    }
    return (await offsetForTimestamp(broker, target, timestamp)).offset
  }
  requireInLog(to.offset, placeOf(target.topic.name, target.partition), bounds)
  return to.offset
}

function changeOf(
  partition: number,
  { log_start_offset }: PartitionBounds,
  before: number | null,
  offset: number,
): ResetResponse['offsets'][number] {
  // What is no longer kept can neither be read again nor be skipped.
  const from = Math.max(before ?? log_start_offset, log_start_offset)
  return {
    partition,
    committed: before,
    offset,
    replayed: Math.max(0, from - offset),
    skipped: Math.max(0, offset - from),
  }
}
