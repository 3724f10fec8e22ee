import type { ResetRequest, ResetResponse } from '../../contract/groups.ts'
import { invalidField } from '../../contract/problem-error.ts'
import { parseTimestamp } from '../../records/timestamp.ts'
import { setGroupOffsets } from '../../store/group-offsets.ts'
import { getGroup, groupPartitions } from '../../store/groups.ts'
import { offsetForTimestamp } from '../fetch.ts'
import { requireInLog } from '../log-bounds.ts'
import { placeOf } from '../place.ts'
import { targetsOf, withBounds, type BoundedTarget } from '../targets.ts'
import { told } from '../told.ts'
import { requireSet, unknownGroup } from './commit.ts'
import type { GroupsBroker } from './groups-broker.ts'

type Change = ResetResponse['offsets'][number]

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
    const wanted = partitions && [...new Set(partitions)]
    const targets = targetsOf(await broker.topics.require(topic), wanted, 'no')
    const offsets: (Change & { target: BoundedTarget })[] = []
    for (const target of await withBounds(broker, targets, 'no')) {
      const before = committed.get(target.partition_id) ?? null
      const offset = await offsetTo(broker, target, before, to)
      offsets.push({ target, ...changeOf(target, before, offset) })
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

async function offsetTo(
  broker: GroupsBroker,
  target: BoundedTarget,
  before: number | null,
  to: ResetRequest['to'],
): Promise<number> {
  const { log_start_offset, high_watermark } = target
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
  requireInLog(to.offset, placeOf(target.topic.name, target.partition), target)
  return to.offset
}

function changeOf(
  { partition, log_start_offset }: BoundedTarget,
  before: number | null,
  offset: number,
): Change {
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
