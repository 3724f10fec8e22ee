import { rowsOf, type StorePools } from './pool.ts'

/**
 * Who is in a group, and who shall have which partition; see migrations/0006-groups.sql. Each is one statement
 * and one short transaction that locks the group's row, so that whatever node runs it, they come one after the
 * other.
 */

export interface JoinRequest {
  group: string
  member_id: string
  topics: readonly string[]
  auto_offset_reset: 'earliest' | 'latest' | 'error'
  session_timeout_ms: number
  rebalance_timeout_ms: number
  assignor: string | undefined
  client: string
  most_members: number
}

export type JoinOutcome = {
  status: 'ok' | 'inconsistent_group_protocol' | 'group_full'
  group_id: number
}

export async function joinGroup(pools: StorePools, request: JoinRequest): Promise<JoinOutcome> {
  const [outcome] = await rowsOf<JoinOutcome>(pools.read, {
    name: 'join_group',
    text: 'select status, group_id from tailrace.join_group($1, $2, $3, $4, $5, $6, $7, $8, $9)',
    values: [
      request.group,
      request.member_id,
      request.topics,
      request.auto_offset_reset,
      request.session_timeout_ms,
      request.rebalance_timeout_ms,
      request.assignor,
      request.client,
      request.most_members,
    ],
  })
  return outcome as JoinOutcome
}

export type LeaveOutcome = 'ok' | 'unknown_member_id' | 'illegal_generation'

/** `generation_id`: what the member knows, if it says so. */
export async function leaveGroup(
  pools: StorePools,
  member: { group_id: number; member_id: string; generation_id: number | undefined },
): Promise<LeaveOutcome> {
  const [left] = await rowsOf<{ status: LeaveOutcome }>(pools.read, {
    name: 'leave_group',
    text: 'select tailrace.leave_group($1, $2, $3) as status',
    values: [member.group_id, member.member_id, member.generation_id],
  })
  return left?.status ?? 'unknown_member_id'
}

/** Notes that nothing need be shared out anew for the members there are. */
export async function keepPlan(
  pools: StorePools,
  { group_id, membership }: GroupSnapshot,
): Promise<void> {
  await rowsOf(pools.read, {
    name: 'keep_plan',
    text: 'select tailrace.keep_plan($1, $2)',
    values: [group_id, membership],
  })
}

/** A group as it is planned from, in one snapshot. */
export interface GroupSnapshot {
  group_id: number
  generation_id: number
  membership: number
  planned_for: number
  assignor: string
  members: { member_id: string; topics: string[]; is_over: boolean }[]
  /** Those that some member subscribes to; `is_new`: of a topic that came after that member. */
  partitions: { partition_id: number; topic: string; partition: number; is_new: boolean }[]
  /** All that the group ever had, with the topic's name where there still is one. */
  held: {
    partition_id: number
    topic: string | null
    owner: string | null
    target: string | null
    is_overdue: boolean
  }[]
}

const SNAPSHOT = `select g.group_id, g.generation_id, g.membership, g.planned_for, g.assignor,
  (select coalesce(jsonb_agg(jsonb_build_object('member_id', m.member_id, 'topics', m.topics,
      'is_over', tailrace.session_over(m.lease_until, m.session_timeout_ms)) order by m.member_id), '[]')
    from tailrace.group_members m where m.group_id = g.group_id) as members,
  (select coalesce(jsonb_agg(jsonb_build_object('partition_id', n.partition_id, 'topic', t.name,
      'partition', n.partition, 'is_new', t.created_at > s.since) order by t.name, n.partition), '[]')
    from tailrace.topics t join tailrace.partitions n using (topic_id),
      lateral (select min(m.joined_at) as since from tailrace.group_members m
        where m.group_id = g.group_id and tailrace.subscribes(m.topics, t.name)) s
    where s.since is not null) as partitions,
  (select coalesce(jsonb_agg(jsonb_build_object('partition_id', p.partition_id, 'topic', t.name, 'owner', p.owner,
      'target', p.target, 'is_overdue', coalesce(p.revoke_until < now(), false)) order by p.partition_id), '[]')
    from tailrace.group_partitions p left join tailrace.partitions n using (partition_id)
      left join tailrace.topics t using (topic_id) where p.group_id = g.group_id) as held
  from tailrace.groups g where g.group_id = $1`

/** Undefined: no such group. */
export async function groupSnapshot(
  pools: StorePools,
  groupId: number,
): Promise<GroupSnapshot | undefined> {
  const [snapshot] = await rowsOf<GroupSnapshot>(pools.read, {
    name: 'group_snapshot',
    text: SNAPSHOT,
    values: [groupId],
  })
  return snapshot
}

/** Who shall have each partition of a group. */
export interface Plan {
  expired: readonly string[]
  targets: readonly { partition_id: number; target: string | null; from_start: boolean }[]
}

/** False: the group is no longer as the snapshot says. */
export async function applyRebalance(
  pools: StorePools,
  snapshot: GroupSnapshot,
  { expired, targets }: Plan,
): Promise<boolean> {
  const [outcome] = await rowsOf<{ applied: boolean }>(pools.read, {
    name: 'apply_rebalance',
    text: 'select tailrace.apply_rebalance($1, $2, $3, $4, $5, $6, $7) as applied',
    values: [
      snapshot.group_id,
      snapshot.generation_id,
      snapshot.membership,
      expired,
      targets.map(({ partition_id }) => partition_id),
      targets.map(({ target }) => target),
      targets.map(({ from_start }) => from_start),
    ],
  })
  return outcome?.applied ?? false
}

export interface GroupNews {
  group_id: number
  generation_id: number
  /** Partitions that one member still has and another shall have. */
  on_the_way: number
  /** Must it be planned anew? */
  is_due: boolean
}

/** Groups that are gone are missing. */
export function groupNews(pools: StorePools, groupIds: readonly number[]): Promise<GroupNews[]> {
  return rowsOf<GroupNews>(pools.read, {
    name: 'group_news',
    text: 'select group_id, generation_id, on_the_way, is_due from tailrace.group_news($1)',
    values: [groupIds],
  })
}

export interface Heartbeat {
  group: string
  member_id: string
  /** What the member knows, if it says so. */
  generation_id: number | undefined
  client: string
}

export interface Beaten {
  generation_id: number
  /** Since when this process is the member. */
  joined_generation: number
}

/** For each heartbeat what is known of the member; undefined where there is none. */
export async function heartbeatMembers(
  pools: StorePools,
  heartbeats: readonly Heartbeat[],
): Promise<(Beaten | undefined)[]> {
  const rows = await rowsOf<Beaten & { call: number }>(pools.read, {
    name: 'heartbeat_members',
    text: 'select call, generation_id, joined_generation from tailrace.heartbeat_members($1, $2, $3, $4)',
    values: [
      heartbeats.map(({ group }) => group),
      heartbeats.map(({ member_id }) => member_id),
      heartbeats.map(({ generation_id }) => generation_id),
      heartbeats.map(({ client: address }) => address),
    ],
  })
  const found = new Array<Beaten | undefined>(heartbeats.length).fill(undefined)
  for (const { call, ...beaten } of rows) found[call - 1] = beaten
  return found
}
