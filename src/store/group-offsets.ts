import type pg from 'pg'
import { rowsOf, type StorePools } from './pool.ts'

/**
 * How members move through their partitions; see migrations/0007-group-offsets.sql. What is written is fenced in the
 * row that is written: by member, generation and owner.
 */

/** A member, and the partition it owns, with where that stands. */
export interface OwnedPartition {
  partition_id: number
  topic: string
  partition: number
  owner_generation: number
  /** It is being handed over: no more records of it, and what is delivered is to be committed. */
  is_revoked: boolean
  /** It came after this generation had begun. */
  came_late: boolean
  /** The next offset to read; null where nothing was ever committed. */
  committed: number | null
  /** Behind the last record handed out; null where none was. */
  delivered: number | null
  log_start_offset: number
  high_watermark: number
}

export interface MemberRow {
  group_id: number
  generation_id: number
  joined_generation: number
  auto_offset_reset: 'earliest' | 'latest' | 'error'
  session_timeout_ms: number
  rebalance_timeout_ms: number
  topics: string[]
  /** How long its session goes on without another sign of life. */
  lease_ms: number
}

export interface MemberState extends MemberRow {
  owned: OwnedPartition[]
  /** When this was so, by performance.now(). */
  read_at: number
}

const STATE = `select g.group_id, g.generation_id, m.joined_generation, m.auto_offset_reset, m.session_timeout_ms,
    m.rebalance_timeout_ms, m.topics,
    (extract(epoch from m.lease_until - now()) * 1000)::int as lease_ms,
    o.partition_id, o.topic, o.partition, o.owner_generation, o.is_revoked, o.came_late, o.committed, o.delivered,
    o.log_start_offset, o.high_watermark
  from tailrace.groups g join tailrace.group_members m on m.group_id = g.group_id and m.member_id = $2
    left join lateral tailrace.owned_partitions(g.group_id, m.member_id) o on true
  where g.name = $1`

/** A member and what it has, in one snapshot. Undefined: there is no such member. */
export async function memberState(
  pools: StorePools,
  group: string,
  memberId: string,
): Promise<MemberState | undefined> {
  const read_at = performance.now()
  const rows = await rowsOf<MemberRow & OwnedPartition>(pools.read, {
    name: 'member_state',
    text: STATE,
    values: [group, memberId],
  })
  const [first] = rows
  if (!first) return undefined
  // A left join: without any partition there is one row of nulls.
  return { ...first, read_at, owned: rows.filter(({ topic }) => (topic as string | null) !== null) }
}

/** What one call notes of one partition. */
export interface AdvanceEntry {
  partition_id: number
  /** With `delivered`: where the partition stood when the records were read. */
  seen?: number | null
  delivered?: number
  committed?: number
}

/** One call of one member; all or nothing. */
export interface Advance {
  group_id: number
  member_id: string
  /** What the member knows. */
  generation_id: number
  /** Its offsets are of its own choice. */
  explicit: boolean
  entries: readonly AdvanceEntry[]
}

export interface AdvanceOutcome {
  status: 'ok' | 'illegal_generation' | 'revoked' | 'moved' | 'past_delivered' | 'before_log_start'
  /** Index, from 1, of the first entry that could not be. */
  entry: number | null
  /** Another member has one of these partitions now. */
  handed_over: boolean
}

const ADVANCE = `select status, entry, handed_over
  from tailrace.advance_offsets($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`

/** Several calls in one transaction, which waits for the disk only where something is committed. */
export function advanceOffsets(
  pools: StorePools,
  calls: readonly Advance[],
): Promise<AdvanceOutcome[]> {
  const entries = calls.flatMap((call, index) =>
    call.entries.map((entry) => ({ call: index + 1, ...entry })),
  )
  return rowsOf<AdvanceOutcome>(pools.read, {
    name: 'advance_offsets',
    text: ADVANCE,
    values: [
      entries.some(({ committed }) => committed !== undefined),
      calls.map(({ group_id }) => group_id),
      calls.map(({ member_id }) => member_id),
      calls.map(({ generation_id }) => generation_id),
      calls.map(({ explicit }) => explicit),
      entries.map(({ call }) => call),
      entries.map(({ partition_id }) => partition_id),
      entries.map(({ seen }) => seen),
      entries.map(({ delivered }) => delivered),
      entries.map(({ committed }) => committed),
    ],
  })
}

/** A call about one partition. */
export type SimpleAdvance = Advance & { entries: readonly [AdvanceEntry] }

const NOTE = 'tailrace.note_delivered'
const COMMIT = 'tailrace.commit_offset'

/**
 * Notes of one partition each, all with a commit or none with one; for each whether it was noted. Where it was not,
 * `advanceOffsets` says why.
 */
export function noteDelivered(
  pools: StorePools,
  calls: readonly SimpleAdvance[],
): Promise<boolean[]> {
  const columns = ['bigint', 'text', 'bigint', 'bigint', 'bigint', 'bigint', 'bigint']
  const values = calls.map(({ group_id, member_id, generation_id, entries: [entry] }) => {
    const { partition_id, seen, delivered, committed } = entry
    return [group_id, member_id, generation_id, partition_id, seen, delivered, committed]
  })
  return callEach(pools, { name: NOTE, columns, values })
}

/** Commits of one partition each, in the same way. */
export function commitSimply(
  pools: StorePools,
  calls: readonly SimpleAdvance[],
): Promise<boolean[]> {
  const columns = ['bigint', 'text', 'bigint', 'boolean', 'bigint', 'bigint']
  const values = calls.map(({ group_id, member_id, generation_id, explicit, entries: [entry] }) => {
    const { partition_id, committed } = entry
    return [group_id, member_id, generation_id, explicit, partition_id, committed]
  })
  return callEach(pools, { name: COMMIT, columns, values })
}

/** What to call for each row of values; the columns are their types. */
interface EachCall {
  name: typeof NOTE | typeof COMMIT
  columns: readonly string[]
  values: readonly (readonly unknown[])[]
}

/** A function that says yes or no, for each row in one statement; alone it need not unpack arrays, at 0.3 ms. */
async function callEach(pools: StorePools, call: EachCall): Promise<boolean[]> {
  const { values } = call
  const query = values.length === 1 ? queryOne(call) : queryAll(call)
  const rows = await rowsOf<{ row: number; done: boolean }>(pools.read, query)
  const done = new Set(rows.filter((row) => row.done).map(({ row }) => row))
  return values.map((_, index) => done.has(index + 1))
}

function queryOne({ name, columns, values: [row = []] }: EachCall): pg.QueryConfig {
  const places = columns.map((_, k) => `$${String(k + 1)}`).join(', ')
  return { name, text: `select 1 as row, ${name}(${places}) as done`, values: [...row] }
}

/** In the order of the rows' keys, so that of two statements none waits for the other in a circle. */
function queryAll({ name, columns, values }: EachCall): pg.QueryConfig {
  const arrays = columns.map((type, k) => `$${String(k + 1)}::${type}[]`).join(', ')
  const names = columns.map((_, k) => `c${String(k + 1)}`).join(', ')
  const order = name === NOTE ? 'c1, c4' : 'c1, c5'
  return {
    name: `${name} all`,
    text: `select x.row::int, ${name}(${names}) as done from (
      select * from unnest(${arrays}) with ordinality as u (${names}, row) order by ${order}) x`,
    values: columns.map((_, k) => values.map((row) => row[k])),
  }
}

export type SetOutcome = 'ok' | 'unknown_group' | 'non_empty_group'

/** Sets where a group goes on, by hand. */
export async function setGroupOffsets(
  pools: StorePools,
  group: string,
  offsets: readonly { partition_id: number; offset: number }[],
  { create, fence }: { create: boolean; fence: boolean },
): Promise<SetOutcome> {
  const [set] = await rowsOf<{ status: SetOutcome }>(pools.read, {
    name: 'set_group_offsets',
    text: 'select tailrace.set_group_offsets($1, $2, $3, $4, $5) as status',
    values: [
      group,
      offsets.map(({ partition_id }) => partition_id),
      offsets.map(({ offset }) => offset),
      create,
      fence,
    ],
  })
  return set?.status ?? 'unknown_group'
}
