import { rowsOf, type StorePools } from './pool.ts'
import type { SetOutcome } from './group-offsets.ts'

/** Groups as people look at them. Sessions that are over count as gone, although nobody may have noticed yet. */

export interface GroupRow {
  group_id: number
  name: string
  generation_id: number
  assignor: string
  created_at: Date
  /** With sessions that go on. */
  members: number
  /** Partitions that one member still has and another shall have. */
  on_the_way: number
}

const GROUP = `select g.group_id, g.name, g.generation_id, g.assignor, g.created_at,
  (select count(*)::int from tailrace.group_members m where m.group_id = g.group_id
    and not tailrace.session_over(m.lease_until, m.session_timeout_ms)) as members,
  (select count(*)::int from tailrace.group_partitions p where p.group_id = g.group_id
    and p.owner is distinct from p.target) as on_the_way
  from tailrace.groups g`

/** Groups by name, after `after`, whose names begin with `prefix`. */
export function listGroups(
  pools: StorePools,
  page: { after: string; prefix: string; limit: number },
): Promise<GroupRow[]> {
  const where = 'where g.name > $1 and starts_with(g.name, $2) order by g.name limit $3'
  const values = [page.after, page.prefix, page.limit]
  return rowsOf(pools.read, { text: `${GROUP} ${where}`, values })
}

export async function getGroup(pools: StorePools, name: string): Promise<GroupRow | undefined> {
  const [row] = await rowsOf<GroupRow>(pools.read, {
    text: `${GROUP} where g.name = $1`,
    values: [name],
  })
  return row
}

export async function groupIdOf(pools: StorePools, name: string): Promise<number | undefined> {
  const text = 'select group_id from tailrace.groups where name = $1'
  const [row] = await rowsOf<{ group_id: number }>(pools.read, { text, values: [name] })
  return row?.group_id
}

export interface GroupMemberRow {
  member_id: string
  client: string
  topics: string[]
  session_timeout_ms: number
  joined_at: Date
  seen_at: Date
}

export function groupMembers(pools: StorePools, groupId: number): Promise<GroupMemberRow[]> {
  return rowsOf(pools.read, {
    text: `select member_id, client, topics, session_timeout_ms, joined_at, seen_at from tailrace.group_members
      where group_id = $1 and not tailrace.session_over(lease_until, session_timeout_ms) order by member_id`,
    values: [groupId],
  })
}

export interface GroupPartitionRow {
  topic: string
  partition: number
  partition_id: number
  owner: string | null
  target: string | null
  committed: number | null
  committed_at: Date | null
  delivered: number | null
  log_start_offset: number
  high_watermark: number
  /** Since when the record at the committed offset, or the first one there still is, has been there. */
  waiting_ms: number | null
}

const PARTITIONS = `with held as materialized (
    select * from tailrace.group_partitions where group_id = $1)
  select t.name as topic, n.partition, h.partition_id, h.owner, h.target, h.committed, h.committed_at, h.delivered,
    b.log_start_offset, b.high_watermark,
    (select greatest(extract(epoch from now() - r.appended_at) * 1000, 0)::bigint from tailrace.batches r
      where r.partition_id = h.partition_id
        and r.next_offset > greatest(h.committed, b.log_start_offset)
        and r.base_offset >= coalesce((select c.base_offset from tailrace.batches c where c.partition_id = h.partition_id
          and c.base_offset <= greatest(h.committed, b.log_start_offset) order by c.base_offset desc limit 1), 0)
      order by r.base_offset limit 1) as waiting_ms
  from held h
    join tailrace.partition_bounds(array(select partition_id from held)) b using (partition_id)
    join tailrace.partitions n using (partition_id)
    join tailrace.topics t using (topic_id)
  order by t.name, n.partition`

export function groupPartitions(pools: StorePools, groupId: number): Promise<GroupPartitionRow[]> {
  return rowsOf(pools.read, { text: PARTITIONS, values: [groupId] })
}

export async function deleteGroup(pools: StorePools, name: string): Promise<SetOutcome> {
  const text = 'select tailrace.delete_group($1) as status'
  const [row] = await rowsOf<{ status: SetOutcome }>(pools.read, { text, values: [name] })
  return row?.status ?? 'unknown_group'
}
