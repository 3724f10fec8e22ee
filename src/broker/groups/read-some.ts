import { LIMITS } from '../../contract/limits.ts'
import type { Truncation } from '../../contract/groups.ts'
import { writePage } from '../../records/page.ts'
import type { MemberState, OwnedPartition } from '../../store/group-offsets.ts'
import type { GroupsBroker } from './groups-broker.ts'
import type { HandedOut, Notable } from './note.ts'
import { standingsOf, type Standing } from './standing.ts'

/** How much may be handed out, and to whom. */
export interface ReadInput {
  /** The member's name over all groups. */
  reader: string
  max_records: number
  max_bytes: number
  /** What the caller says has arrived. */
  received: ReadonlyMap<number, number> | undefined
}

export interface Found extends Notable {
  truncated: Truncation[]
  /** What the caller holds from now on and has not committed: by partition_id, behind the last record. */
  in_hand: Map<number, number>
  /** Partitions that wait for what the caller holds of them. */
  revoked: OwnedPartition[]
}

/** Records of the member's partitions, each in turn the first, as many as may be. */
export async function readSome(
  broker: GroupsBroker,
  input: ReadInput,
  state: MemberState,
  committed: ReadonlyMap<number, number>,
): Promise<Found> {
  const standings = standingsOf(state, input.received)
  const moved = standings.filter((standing) => standing.moved)
  const pages: HandedOut[] = []
  const left = { max_records: input.max_records, max_bytes: input.max_bytes }
  const held = heldOf(standings, committed)
  const behind = standings.filter(({ offset, owned }) => offset < owned.high_watermark)
  for (const standing of broker.groups.turns.inTurn(input.reader, behind)) {
    const { partition_id } = standing.owned
    if (left.max_records <= 0 || left.max_bytes <= 0) break
    if (!held.has(partition_id) && held.size >= LIMITS.partitions_in_hand) continue
    const handed = await readPage(broker, standing, left)
    const page = handed?.page
    if (!page || (pages.length > 0 && page.byte_length > left.max_bytes)) continue
    pages.push(handed)
    held.add(partition_id)
    left.max_records -= page.record_count
    left.max_bytes -= page.byte_length
  }
  return {
    pages,
    moved,
    truncated: moved.flatMap(({ truncation }) => (truncation ? [truncation] : [])),
    ...inHand(state, { standings, pages, committed, received: input.received }),
  }
}

/** Partitions of which the caller holds something: no more of them than an ack can name. */
function heldOf(
  standings: readonly Standing[],
  committed: ReadonlyMap<number, number>,
): Set<number> {
  const held = standings.filter(
    ({ owned, offset }) =>
      offset > Math.max(owned.committed ?? 0, committed.get(owned.partition_id) ?? 0),
  )
  return new Set(held.map(({ owned }) => owned.partition_id))
}

async function readPage(
  broker: GroupsBroker,
  standing: Standing,
  bounds: { max_records: number; max_bytes: number },
): Promise<HandedOut | undefined> {
  const { owned, offset } = standing
  const read = await broker.groups.ahead.take(owned.partition_id, offset, { ...bounds })
  if (!read || read.batches.length === 0) return undefined
  const open = `{"topic":"${owned.topic}","partition":${String(owned.partition)},"offset":`
  const page = writePage(read.batches, offset, bounds, { open, separator: ',', end: '' })
  return { standing, page, high_watermark: read.high_watermark }
}

/** What is not committed of what this caller has, and gets now. */
function inHand(
  { owned }: MemberState,
  {
    standings,
    pages,
    committed,
    received,
  }: {
    standings: readonly Standing[]
    pages: readonly HandedOut[]
    committed: ReadonlyMap<number, number>
    received: ReadonlyMap<number, number> | undefined
  },
): Pick<Found, 'in_hand' | 'revoked'> {
  const in_hand = new Map<number, number>()
  const isDone = (one: OwnedPartition, offset: number) =>
    offset <= Math.max(one.committed ?? 0, committed.get(one.partition_id) ?? 0)
  const revoked = owned.filter(
    (one) => one.is_revoked && one.delivered !== null && !isDone(one, one.delivered),
  )
  for (const one of revoked) {
    const offset = received ? received.get(one.partition_id) : one.delivered
    if (offset !== undefined && offset !== null && !isDone(one, offset))
      in_hand.set(one.partition_id, offset)
  }
  for (const { owned: one, offset } of standings) {
    if (!isDone(one, offset)) in_hand.set(one.partition_id, offset)
  }
  for (const { standing, page } of pages) {
    in_hand.set(standing.owned.partition_id, page.next_offset)
  }
  return { in_hand, revoked }
}
