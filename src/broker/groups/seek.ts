import type { GroupOffset } from '../../contract/groups.ts'
import { ProblemError } from '../../contract/problem-error.ts'
import { isInLog, outOfRange } from '../log-bounds.ts'
import { placeOf } from '../place.ts'
import { told } from '../told.ts'
import { refused } from './advance.ts'
import type { GroupsBroker } from './groups-broker.ts'
import { currentMember } from './membership.ts'

/** Where a member reads a partition of its own from now on. What is committed stays. */
export function seek(
  broker: GroupsBroker,
  input: GroupOffset & { group: string; member_id: string; generation_id: number },
): Promise<void> {
  return told(true, async () => {
    const { member_id, offset } = input
    const state = await currentMember(broker, input)
    const owned = state.owned.find(
      ({ topic, partition }) => topic === input.topic && partition === input.partition,
    )
    const place = placeOf(input.topic, input.partition)
    if (!owned) {
      const detail = `${place} is not ${member_id}’s.`
      throw new ProblemError('illegal_generation', detail, { written: 'no' })
    }
    if (!isInLog(offset, owned)) {
      throw outOfRange(`Offset ${String(offset)} is outside ${place}.`, owned, { written: 'no' })
    }
    const { partition_id, delivered, committed } = owned
    const entries = [{ partition_id, seen: delivered ?? committed, delivered: offset }]
    const { group_id, generation_id } = state
    const call = { group_id, member_id, generation_id, explicit: false, entries }
    const outcome = await broker.groups.advances.add(call)
    // Records went out meanwhile: behind those, then.
    if (outcome.status === 'moved') return seek(broker, input)
    if (outcome.status !== 'ok') throw refused(call, outcome, [owned])
    broker.groups.watch.tell(group_id)
  })
}
