import type { AdvanceEntry, MemberState, OwnedPartition } from '../../store/group-offsets.ts'
import type { Ack } from './ack.ts'
import { commit } from './advance.ts'
import type { GroupsBroker } from './groups-broker.ts'

/** Partitions of which a member was given something that it has not committed. */
export function heldBy({ owned }: MemberState): (OwnedPartition & { delivered: number })[] {
  return owned.filter(
    (one): one is OwnedPartition & { delivered: number } =>
      one.delivered !== null && one.delivered > (one.committed ?? -1),
  )
}

/** The same by partition_id: behind the last record of each. */
export function inHandOf(state: MemberState): Map<number, number> {
  return new Map(heldBy(state).map(({ partition_id, delivered }) => [partition_id, delivered]))
}

/** Commits these, by partition_id, in the name of a member that polls. */
export function commitDone(
  broker: GroupsBroker,
  { member_id, received }: { member_id: string; received: Ack | undefined },
  state: MemberState,
  offsets: ReadonlyMap<number, number>,
): Promise<void> {
  const { group_id } = state
  const generation_id = received?.generation_id ?? state.generation_id
  const entries = new Map<number, AdvanceEntry>(received ? givenBack(state, received.offsets) : [])
  for (const [partition_id, committed] of offsets) {
    entries.set(partition_id, { ...entries.get(partition_id), partition_id, committed })
  }
  const call = { group_id, member_id, generation_id, explicit: false }
  return commit(broker, { ...call, entries: [...entries.values()] }, state.owned)
}

/** Of partitions that are to go to others: what never arrived here need not be waited for. */
function givenBack(
  { owned }: MemberState,
  received: ReadonlyMap<number, number>,
): [number, AdvanceEntry][] {
  return owned.flatMap(({ partition_id, is_revoked, committed, delivered }) => {
    const arrived = received.get(partition_id) ?? committed ?? 0
    if (!is_revoked || delivered === null || arrived >= delivered) return []
    return [[partition_id, { partition_id, seen: delivered, delivered: arrived }]]
  })
}
