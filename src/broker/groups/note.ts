import type { Page } from '../../records/page.ts'
import type { AdvanceEntry, MemberState, OwnedPartition } from '../../store/group-offsets.ts'
import { isSimple } from './advance.ts'
import type { GroupsBroker } from './groups-broker.ts'
import type { Standing } from './standing.ts'

/** Records of one partition, as text. */
export interface HandedOut {
  standing: Standing
  page: Page
  /** Where the partition ended when it was read. */
  high_watermark: number
}

export interface Notable {
  pages: HandedOut[]
  /** Those that begin somewhere else than they would have. */
  moved: Standing[]
}

/** Notes what is handed out before it is; false where the member has lost some of it meanwhile. */
export async function note(
  broker: GroupsBroker,
  member_id: string,
  { group_id, generation_id }: MemberState,
  { pages, moved }: Notable,
): Promise<boolean> {
  const noted = new Map<number, AdvanceEntry>()
  for (const { owned, offset, seen } of moved) {
    const { partition_id } = owned
    noted.set(partition_id, {
      partition_id,
      seen,
      delivered: offset,
      ...firstCommit(owned, offset),
    })
  }
  for (const { standing, page } of pages) {
    const { partition_id } = standing.owned
    const entry = noted.get(partition_id) ?? { partition_id, seen: standing.seen }
    noted.set(partition_id, { ...entry, delivered: page.next_offset })
  }
  if (noted.size === 0) return true
  const entries = [...noted.values()]
  const call = { group_id, member_id, generation_id, explicit: false, entries }
  const isPlain = moved.length === 0 && isSimple(call)
  if (isPlain && (await broker.groups.notes.add(call))) return true
  return (await broker.groups.advances.add(call)).status === 'ok'
}

/** Where a group begins is its first commit. */
function firstCommit(
  { committed }: OwnedPartition,
  offset: number,
): Pick<AdvanceEntry, 'committed'> {
  return committed === null ? { committed: offset } : {}
}
