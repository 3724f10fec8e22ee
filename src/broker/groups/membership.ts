import { randomUUID } from 'node:crypto'
import type { JoinGroup, Membership } from '../../contract/groups.ts'
import { LIMITS } from '../../contract/limits.ts'
import { ProblemError } from '../../contract/problem-error.ts'
import * as store from '../../store/group-members.ts'
import { memberState, type MemberState } from '../../store/group-offsets.ts'
import { groupIdOf } from '../../store/groups.ts'
import { storeProblem } from '../../store/sqlstate.ts'
import { told } from '../told.ts'
import { unknownTopic, type TopicDirectory } from '../topic-directory.ts'
import { formatAck } from './ack.ts'
import { assignmentOf, keptBy } from './assignment.ts'
import type { GroupsBroker } from './groups-broker.ts'
import { note } from './note.ts'
import { standingsOf } from './standing.ts'

export function unknownMember(group: string, memberId: string): ProblemError {
  const detail = `Group ${group} has no member ${memberId}; its session may have ended.`
  return new ProblemError('unknown_member_id', detail, { written: 'no' })
}

export interface Joining extends JoinGroup {
  group: string
  /** Address of the caller. */
  client: string
}

/** Makes somebody a member, shares out the partitions, and says which are theirs already. */
export function joinGroup(broker: GroupsBroker, input: Joining): Promise<Membership> {
  return told(true, async () => {
    const state = await joinAs(broker, input.member_id ?? randomUUID(), input)
    return {
      group: input.group,
      member_id: state.member_id,
      generation_id: state.generation_id,
      assignment: assignmentOf(keptBy(state)),
      ack: formatAck({ ...state, offsets: new Map() }),
      session_timeout_ms: input.session_timeout_ms,
    }
  })
}

/** The state of a member that has just joined. */
export async function joinAs(
  broker: GroupsBroker,
  member_id: string,
  input: Joining,
): Promise<MemberState & { member_id: string }> {
  await requireTopics(broker.topics, input.topics)
  const { status, group_id } = await store.joinGroup(broker.pools, {
    ...input,
    member_id,
    assignor: input.assignor,
    most_members: LIMITS.members_per_group,
  })
  if (status !== 'ok') throw refusedToJoin(status, input.group)
  try {
    return await takePlace(broker, { group_id, member_id, group: input.group })
  } catch (error) {
    // The member is there by now, whatever failed.
    throw storeProblem(error, 'unknown')
  }
}

/** Shares out the partitions, and finds what a new member has. */
async function takePlace(
  broker: GroupsBroker,
  { group_id, member_id, group }: { group_id: number; member_id: string; group: string },
): Promise<MemberState & { member_id: string }> {
  await broker.groups.rebalancer.rebalance(group_id)
  broker.groups.watch.touch(group_id)
  broker.groups.watch.tell(group_id)
  const state = await currentMember(broker, { group, member_id, generation_id: undefined })
  if (state.auto_offset_reset === 'latest') await beginAtEnd(broker, state, member_id)
  return { ...state, member_id }
}

/** At the end of now, not of the first poll. What retention has cut is told by that. */
async function beginAtEnd(
  broker: GroupsBroker,
  state: MemberState,
  memberId: string,
): Promise<void> {
  const begun = standingsOf(state, undefined).filter(
    ({ moved, truncation }) => moved && truncation === undefined,
  )
  await note(broker, memberId, state, { pages: [], moved: begun })
}

/** A topic that is named must be there: a misspelt one would be waited for in vain. */
async function requireTopics(topics: TopicDirectory, names: readonly string[]): Promise<void> {
  for (const name of names) {
    if (!name.endsWith('*') && !(await topics.find(name))) throw unknownTopic(name, 'no')
  }
}

function refusedToJoin(
  status: 'inconsistent_group_protocol' | 'group_full',
  group: string,
): ProblemError {
  if (status === 'group_full') {
    const most = String(LIMITS.members_per_group)
    const detail = `Group ${group} has ${most} members, as many as it may.`
    return new ProblemError('group_max_size_reached', detail, { written: 'no' })
  }
  const detail = `The members of group ${group} use another assignor.`
  return new ProblemError('inconsistent_group_protocol', detail, { written: 'no' })
}

/** A member and what it has; a problem where there is none, or the caller is it no longer. */
export async function currentMember(
  { pools }: GroupsBroker,
  who: { group: string; member_id: string; generation_id: number | undefined },
): Promise<MemberState> {
  const state = await memberState(pools, who.group, who.member_id)
  if (!state) throw unknownMember(who.group, who.member_id)
  requireCurrent(state, who.generation_id)
  return state
}

/** Refuses calls of a process that is the member no longer, as another has joined under its name since. */
export function requireCurrent(
  { joined_generation }: { joined_generation: number },
  generationId: number | undefined,
): void {
  if (generationId !== undefined && generationId < joined_generation) throw replaced(generationId)
}

function replaced(generationId: number | undefined): ProblemError {
  return new ProblemError(
    'illegal_generation',
    `Generation ${String(generationId)} is older than this member: somebody has joined under its name since.`,
    { written: 'no' },
  )
}

export function heartbeat(
  broker: GroupsBroker,
  input: { group: string; member_id: string; generation_id: number | undefined; client: string },
): Promise<{ generation_id: number; is_current: boolean }> {
  return told(true, async () => {
    const beaten = await broker.groups.heartbeats.add(input)
    if (!beaten) throw unknownMember(input.group, input.member_id)
    requireCurrent(beaten, input.generation_id)
    const { generation_id } = beaten
    return {
      generation_id,
      is_current: input.generation_id === undefined || input.generation_id === generation_id,
    }
  })
}

export function leaveGroup(
  broker: GroupsBroker,
  input: { group: string; member_id: string; generation_id: number | undefined },
): Promise<void> {
  return told(true, async () => {
    const { group, member_id, generation_id } = input
    const group_id = await groupIdOf(broker.pools, group)
    if (group_id === undefined) throw unknownMember(group, member_id)
    const status = await store.leaveGroup(broker.pools, { group_id, member_id, generation_id })
    if (status === 'unknown_member_id') throw unknownMember(group, member_id)
    if (status === 'illegal_generation') throw replaced(generation_id)
    await broker.groups.rebalancer.rebalance(group_id)
    broker.groups.watch.tell(group_id)
  })
}
