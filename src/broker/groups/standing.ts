import type { ProblemError } from '../../contract/problem-error.ts'
import type { Truncation } from '../../contract/groups.ts'
import type { MemberState, OwnedPartition } from '../../store/group-offsets.ts'
import { isInLog, outOfRange } from '../log-bounds.ts'
import { placeOf } from '../place.ts'
import { keptBy } from './assignment.ts'

/** A partition of a member, and where it is to be read from. */
export interface Standing {
  owned: OwnedPartition
  offset: number
  /** Where the database says it stood, for the fence of what is handed out next. */
  seen: number | null
  /** It begins somewhere else than it would have; that is to be noted. */
  moved: boolean
  truncation: Truncation | undefined
}

/**
 * Where each partition of a member goes on. `received` is what the member says has arrived: everything behind that,
 * and behind what is committed, is handed out again. Without it the member goes on behind what it was given.
 */
export function standingsOf(
  state: MemberState,
  received: ReadonlyMap<number, number> | undefined,
): Standing[] {
  return keptBy(state).map((owned) => standingOf(owned, state.auto_offset_reset, received))
}

function standingOf(
  owned: OwnedPartition,
  reset: MemberState['auto_offset_reset'],
  received: ReadonlyMap<number, number> | undefined,
): Standing {
  const { committed, delivered, log_start_offset, high_watermark } = owned
  const seen = delivered ?? committed
  const wanted = received ? arrivedOf(owned, received) : seen
  if (wanted !== null && isInLog(wanted, owned)) {
    return { owned, offset: wanted, seen, moved: false, truncation: undefined }
  }
  if (reset === 'error') throw outside(owned, wanted)
  const offset = reset === 'earliest' ? log_start_offset : high_watermark
  const { topic, partition } = owned
  const truncation =
    wanted === null ? undefined : { topic, partition, offset: wanted, resumed_at: offset }
  // Where a group begins at the end, that end is kept, or what comes before its first poll would be lost.
  const moved = truncation !== undefined || reset === 'latest'
  return { owned, offset, seen, moved, truncation }
}

function arrivedOf(
  { partition_id, committed, delivered }: OwnedPartition,
  received: ReadonlyMap<number, number>,
): number | null {
  const arrived = received.get(partition_id)
  // One that says more than was handed out is of another life of the group.
  if (arrived === undefined || arrived > (delivered ?? -1)) return committed
  return Math.max(arrived, committed ?? 0)
}

function outside(owned: OwnedPartition, offset: number | null): ProblemError {
  const { topic, partition, log_start_offset } = owned
  const place = placeOf(topic, partition)
  const what =
    offset === null
      ? `has no committed offset for ${place}`
      : `would go on at ${String(offset)} of ${place}, which begins at ${String(log_start_offset)}`
  return outOfRange(`The group ${what}.`, owned, {
    hint: 'auto_offset_reset is error; POST /v1/groups/{group}/reset sets where to go on.',
    members: { topic, partition },
  })
}
