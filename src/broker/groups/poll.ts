import type { Truncation } from '../../contract/groups.ts'
import { writePage, type Page } from '../../records/page.ts'
import { memberState, type MemberState, type OwnedPartition } from '../../store/group-offsets.ts'
import { readFrom } from '../fetch.ts'
import type { Ack } from './ack.ts'
import { commit } from './advance.ts'
import type { GroupsBroker } from './groups-broker.ts'
import { requireCurrent, told, unknownMember } from './membership.ts'
import { note, type HandedOut, type Notable } from './note.ts'
import { standingsOf, type Standing } from './standing.ts'
import { PollWait } from './poll-wait.ts'

export interface PollInput {
  group: string
  member_id: string
  /** What the caller knows. */
  generation_id: number | undefined
  commit: 'previous' | 'none'
  received: Ack | undefined
  max_records: number
  max_bytes: number
  max_wait_ms: number
  client: string
  signal: AbortSignal
}

export interface Polled extends Found {
  state: MemberState
}

interface Found extends Notable {
  truncated: Truncation[]
  /** What the caller holds from now on and has not committed: by partition_id, behind the last record. */
  in_hand: Map<number, number>
  /** Partitions that wait for what the caller holds of them. */
  revoked: OwnedPartition[]
}

/**
 * The next records of a member: looks what it has, commits if asked to while reading, notes what it is about to hand
 * out, and only then hands it out. That note is fenced, so what has gone to another member meanwhile is not handed
 * out, and what was read for nothing is read again.
 */
export function poll(broker: GroupsBroker, input: PollInput): Promise<Polled> {
  return told(true, async () => {
    const wait = new PollWait(broker, input)
    try {
      let done = await begin(broker, input, wait)
      for (;;) {
        const { state } = done
        const [, found] = await both(done.committing, readSome(broker, input, done))
        const isEmpty = found.pages.length === 0 && found.truncated.length === 0
        const isOver = !isEmpty || input.signal.aborted
        if (
          isOver &&
          (input.signal.aborted || (await note(broker, input.member_id, state, found)))
        ) {
          return { state, ...found }
        }
        if (isEmpty && found.moved.length > 0) await note(broker, input.member_id, state, found)
        else if (isEmpty && !(await wait.forNews(state))) return { state, ...found }
        done = await lookAgain(broker, input, wait)
      }
    } finally {
      wait.end()
    }
  })
}

/** A member, and what is committed in its name by this call. */
interface Round {
  state: MemberState
  committed: ReadonlyMap<number, number>
  committing: Promise<void>
}

async function begin(broker: GroupsBroker, input: PollInput, wait: PollWait): Promise<Round> {
  const round = await lookAgain(broker, input, wait)
  if (input.commit === 'none') return round
  const committed = input.received?.offsets ?? inHandOf(round.state)
  return { ...round, committed, committing: commitDone(broker, input, round.state, committed) }
}

async function lookAgain(broker: GroupsBroker, input: PollInput, wait: PollWait): Promise<Round> {
  const state = await requireMember(broker, input)
  wait.follow(state)
  return { state, committed: new Map(), committing: Promise.resolve() }
}

/** Both to their end, so that nothing goes on behind an answer; the first one's failure counts more. */
async function both<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  const [one, two] = await Promise.allSettled([first, second])
  if (one.status === 'rejected') throw one.reason
  if (two.status === 'rejected') throw two.reason
  return [one.value, two.value]
}

async function requireMember(broker: GroupsBroker, input: PollInput): Promise<MemberState> {
  const state = await memberState(broker.pools, input.group, input.member_id)
  if (!state) throw unknownMember(input.group, input.member_id)
  requireCurrent(state, input.generation_id)
  // Not with every poll: each is a write.
  if (state.lease_ms < (state.session_timeout_ms * 2) / 3) {
    if (!(await broker.groups.heartbeats.add(input)))
      throw unknownMember(input.group, input.member_id)
  }
  broker.groups.watch.touch(state.group_id)
  return state
}

/** What a member was given and has not committed, behind the last record of each partition. */
function inHandOf(state: MemberState): Map<number, number> {
  const held = new Map<number, number>()
  for (const { partition_id, committed, delivered } of state.owned) {
    if (delivered !== null && delivered > (committed ?? -1)) held.set(partition_id, delivered)
  }
  return held
}

function commitDone(
  broker: GroupsBroker,
  { member_id, received }: PollInput,
  state: MemberState,
  offsets: ReadonlyMap<number, number>,
): Promise<void> {
  const { group_id } = state
  const generation_id = received?.generation_id ?? state.generation_id
  const entries = [...offsets].map(([partition_id, committed]) => ({ partition_id, committed }))
  return commit(broker, { group_id, member_id, generation_id, explicit: false, entries }, (id) =>
    placeOf(state.owned, id),
  )
}

function placeOf(owned: readonly OwnedPartition[], partitionId: number): string {
  const found = owned.find(({ partition_id }) => partition_id === partitionId)
  return found ? `${found.topic}/${String(found.partition)}` : 'A partition'
}

/** Records of the member's partitions, each in turn the first, as many as may be. */
async function readSome(
  broker: GroupsBroker,
  input: PollInput,
  { state, committed }: Round,
): Promise<Found> {
  const standings = standingsOf(state, input.received?.offsets)
  const moved = standings.filter((standing) => standing.moved)
  const pages: HandedOut[] = []
  let records = input.max_records
  let bytes = input.max_bytes
  for (const standing of inTurn(withRecords(standings), broker.groups.turn++)) {
    if (records <= 0 || bytes <= 0) break
    const page = await readPage(broker, standing, { max_records: records, max_bytes: bytes })
    if (!page || (pages.length > 0 && page.byte_length > bytes)) continue
    pages.push({ standing, page })
    records -= page.record_count
    bytes -= page.byte_length
  }
  return {
    pages,
    moved,
    truncated: moved.flatMap(({ truncation }) => (truncation ? [truncation] : [])),
    ...inHand(state, { standings, pages, committed, received: input.received?.offsets }),
  }
}

function withRecords(standings: readonly Standing[]): Standing[] {
  return standings.filter(({ offset, owned }) => offset < owned.high_watermark)
}

function inTurn<T>(list: readonly T[], turn: number): T[] {
  const first = turn % Math.max(list.length, 1)
  return [...list.slice(first), ...list.slice(0, first)]
}

async function readPage(
  broker: GroupsBroker,
  { owned: { partition_id, topic, partition }, offset }: Standing,
  bounds: { max_records: number; max_bytes: number },
): Promise<Page | undefined> {
  const read = await readFrom(broker, partition_id, offset, bounds)
  if (!read || read.batches.length === 0) return undefined
  const open = `{"topic":"${topic}","partition":${String(partition)},"offset":`
  return writePage(read.batches, offset, bounds, { open, separator: ',', end: '' })
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
