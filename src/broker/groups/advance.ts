import { ProblemError } from '../../contract/problem-error.ts'
import type { Advance, AdvanceOutcome, SimpleAdvance } from '../../store/group-offsets.ts'
import { placeOf } from '../place.ts'
import type { GroupsBroker } from './groups-broker.ts'

/** Partitions that a call is about, to name them for people. */
type Places = readonly { partition_id: number; topic: string; partition: number }[]

/** Commits, or says why not; those who wait for a partition that changes hands by it are woken. */
export async function commit(broker: GroupsBroker, call: Advance, places: Places): Promise<void> {
  if (call.entries.length === 0) return
  if (isSimple(call) && (await broker.groups.commits.add(call))) return
  const outcome = await broker.groups.advances.add(call)
  if (outcome.handed_over) broker.groups.watch.tell(call.group_id)
  if (outcome.status !== 'ok') throw refused(call, outcome, places)
}

/** Of one partition. */
export function isSimple(call: Advance): call is SimpleAdvance {
  return call.entries.length === 1
}

/** Why a call changed nothing. */
export function refused(
  { entries, member_id }: Advance,
  { status, entry }: AdvanceOutcome,
  places: Places,
): ProblemError {
  const { partition_id = 0, committed = 0 } = entries[(entry ?? 1) - 1] ?? {}
  const found = places.find((one) => one.partition_id === partition_id)
  const place = found ? placeOf(found.topic, found.partition) : 'A partition'
  const offset = String(committed)
  if (status === 'past_delivered') {
    return new ProblemError(
      'offset_out_of_range',
      `Offset ${offset} of ${place} is behind what ${member_id} was given.`,
      { written: 'no', hint: 'Commit the offset after the last record that was processed.' },
    )
  }
  if (status === 'before_log_start') {
    return new ProblemError(
      'offset_out_of_range',
      `Offset ${offset} of ${place} is no longer kept.`,
      {
        written: 'no',
        hint: 'Poll again: the group goes on where the log begins.',
      },
    )
  }
  return new ProblemError(
    'illegal_generation',
    `${place} is not ${member_id}’s in the generation it names.`,
    { written: 'no' },
  )
}
