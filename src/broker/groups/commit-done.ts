import type { AdvanceEntry, MemberState, OwnedPartition } from '../../store/group-offsets.ts'
import type { Ack } from './ack.ts'
import { commit } from './advance.ts'
import type { GroupsBroker } from './groups-broker.ts'

/** What a member was given and has not committed, behind the last record of each partition. */
export function inHandOf(state: MemberState): Map<number, number> {
  const held = new Map<number, number>()
  for (const { partition_id, committed, delivered } of state.owned) {
    if (delivered !== null && delivered > (committed ?? -1)) held.set(partition_id, delivered)
  }
  return held
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
  return commit(broker, { ...call, entries: [...entries.values()] }, (id) =>
    placeOf(state.owned, id),
  )
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

function placeOf(owned: readonly OwnedPartition[], partitionId: number): string {
  const found = owned.find(({ partition_id }) => partition_id === partitionId)
  return found ? `${found.topic}/${String(found.partition)}` : 'A partition'
}
