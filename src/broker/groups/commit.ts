import type { CommitRequest, GroupOffset } from '../../contract/groups.ts'
import { invalidField, ProblemError } from '../../contract/problem-error.ts'
import { partitionBounds } from '../../store/fetch-batches.ts'
import { memberState, setGroupOffsets, type SetOutcome } from '../../store/group-offsets.ts'
import { requireInLog } from '../log-bounds.ts'
import { placeOf } from '../place.ts'
import { targetOf } from '../targets.ts'
import { told } from '../told.ts'
import { commit } from './advance.ts'
import { heldBy } from './commit-done.ts'
import type { GroupsBroker } from './groups-broker.ts'
import { requireCurrent } from './membership.ts'

/** An offset with the partition's id. */
export interface PlacedOffset extends GroupOffset {
  partition_id: number
}

/** Commits what a member names, or all it was given; or sets the offsets of a group without members. */
export function commitOffsets(
  broker: GroupsBroker,
  group: string,
  { member_id, generation_id, offsets }: CommitRequest,
): Promise<GroupOffset[]> {
  return told(true, async () => {
    if ((member_id === undefined) !== (generation_id === undefined)) {
      const [absent, why] =
        member_id === undefined
          ? ['/member_id', 'must stand beside generation_id']
          : ['/generation_id', 'must stand beside member_id; every answer to a member says it']
      throw invalidField('body', absent, why)
    }
    if (member_id === undefined || generation_id === undefined) {
      return setOffsets(broker, group, offsets)
    }
    return offsets === 'delivered'
      ? commitDelivered(broker, { group, member_id, generation_id })
      : commitNamed(broker, { group, member_id, generation_id }, offsets)
  })
}

interface Committer {
  group: string
  member_id: string
  generation_id: number
}

async function requireState(broker: GroupsBroker, { group, member_id }: Committer) {
  const state = await memberState(broker.pools, group, member_id)
  if (state) return state
  const detail = `Group ${group} has no member ${member_id} (any more).`
  throw new ProblemError('illegal_generation', detail, { written: 'no' })
}

async function commitDelivered(broker: GroupsBroker, who: Committer): Promise<GroupOffset[]> {
  const state = await requireState(broker, who)
  requireCurrent(state, who.generation_id)
  const { group_id, generation_id } = state
  const given = heldBy(state).map(({ partition_id, topic, partition, delivered }) => ({
    partition_id,
    topic,
    partition,
    offset: delivered,
  }))
  if (given.length === 0 && who.generation_id < generation_id) throw nothingLeft(who)
  return commitPlaced(broker, { ...who, group_id, explicit: false }, given)
}

/** The group has gone on, and what the member was given before has been committed, or gone to others. */
function nothingLeft({ member_id, generation_id }: Committer): ProblemError {
  const detail = `${member_id} holds nothing that it was given in generation ${String(generation_id)}.`
  return new ProblemError('illegal_generation', detail, { written: 'no' })
}

async function commitNamed(
  broker: GroupsBroker,
  who: Committer,
  offsets: readonly GroupOffset[],
): Promise<GroupOffset[]> {
  const placed = await placeOffsets(broker, offsets)
  const { group_id } = await requireState(broker, who)
  return commitPlaced(broker, { ...who, group_id, explicit: true }, placed)
}

async function commitPlaced(
  broker: GroupsBroker,
  who: Committer & { group_id: number; explicit: boolean },
  placed: readonly PlacedOffset[],
): Promise<GroupOffset[]> {
  const entries = placed.map(({ partition_id, offset }) => ({ partition_id, committed: offset }))
  await commit(broker, { ...who, entries }, placed)
  return placed.map(({ topic, partition, offset }) => ({ topic, partition, offset }))
}

/** Finds the partitions of offsets; each may be named once. */
async function placeOffsets(
  broker: GroupsBroker,
  offsets: readonly GroupOffset[],
): Promise<PlacedOffset[]> {
  const seen = new Set<number>()
  const placed: PlacedOffset[] = []
  for (const [k, { topic, partition, offset }] of offsets.entries()) {
    const { partition_id } = targetOf(await broker.topics.require(topic), partition, 'no')
    if (seen.has(partition_id)) {
      throw invalidField('body', `/offsets/${String(k)}`, 'names a partition for the second time')
    }
    seen.add(partition_id)
    placed.push({ topic, partition, offset, partition_id })
  }
  return placed
}

/** For readers that share out partitions themselves, or that work without a session. */
async function setOffsets(
  broker: GroupsBroker,
  group: string,
  offsets: CommitRequest['offsets'],
): Promise<GroupOffset[]> {
  if (offsets === 'delivered') {
    throw invalidField('body', '/offsets', 'must be a list where there is no member_id')
  }
  const placed = await placeOffsets(broker, offsets)
  await requireAllInLog(broker, placed)
  const status = await setGroupOffsets(broker.pools, group, placed, { create: true, fence: false })
  requireSet(status, group)
  return [...offsets]
}

/** Of a partition that is gone. */
const NOTHING = { log_start_offset: 0, high_watermark: 0 }

async function requireAllInLog(
  broker: GroupsBroker,
  placed: readonly PlacedOffset[],
): Promise<void> {
  const ids = placed.map(({ partition_id }) => partition_id)
  const bounds = new Map(
    (await partitionBounds(broker.pools, ids)).map((one) => [one.partition_id, one]),
  )
  for (const { partition_id, topic, partition, offset } of placed) {
    requireInLog(offset, placeOf(topic, partition), bounds.get(partition_id) ?? NOTHING)
  }
}

export function requireSet(status: SetOutcome, group: string): void {
  if (status === 'unknown_group') throw unknownGroup(group, 'no')
  if (status === 'non_empty_group') {
    throw new ProblemError('non_empty_group', `Group ${group} has members.`, { written: 'no' })
  }
}

export function unknownGroup(group: string, written?: 'no'): ProblemError {
  return new ProblemError(
    'unknown_group',
    `There is no group ${group}.`,
    written ? { written } : {},
  )
}
