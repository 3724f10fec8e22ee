import { ProblemError } from '../../contract/problem-error.ts'
import type { MemberState } from '../../store/group-offsets.ts'
import { storeProblem } from '../../store/sqlstate.ts'
import { told } from '../told.ts'
import type { Ack } from './ack.ts'
import { commitDone, inHandOf } from './commit-done.ts'
import type { GroupsBroker } from './groups-broker.ts'
import { currentMember, unknownMember } from './membership.ts'
import { note } from './note.ts'
import { PollWait } from './poll-wait.ts'
import { readSome, type Found, type ReadInput } from './read-some.ts'

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

/**
 * The next records of a member: looks what it has, commits if asked to while reading, notes what it is about to hand
 * out, and only then hands it out. That note is fenced, so what has gone to another member meanwhile is not handed
 * out, and what was read for nothing is read again.
 */
export function poll(broker: GroupsBroker, input: PollInput): Promise<Polled> {
  return told(true, async () => {
    const wait = new PollWait(broker, input)
    try {
      const first = await begin(broker, input, wait)
      return await honestly(first, () => handOut(broker, input, first, wait))
    } finally {
      wait.end()
    }
  })
}

async function handOut(
  broker: GroupsBroker,
  input: PollInput,
  first: Round,
  wait: PollWait,
): Promise<Polled> {
  for (let round = first; ; round = await lookAgain(broker, input, wait)) {
    const { state } = round
    const [, found] = await both(
      round.committing,
      readSome(broker, whatToRead(input), state, round.committed),
    )
    if (input.signal.aborted) return { state, ...found }
    if (round.is_deferred) {
      // Beside the statement that waits for the disk.
      readOn(broker, input, round, found)
      if (await noteWithCommit(broker, input, round, found))
        return handedOut(broker, input, round, found)
      // Something stands in its way, or there is nothing to note with it: one after the other, then.
      round.is_deferred = false
      round.committing = commitDone(broker, input, state, round.committed)
      await round.committing
    }
    const isEmpty = found.pages.length === 0 && found.truncated.length === 0
    if (!isEmpty) {
      if (!(await note(broker, input.member_id, state, found))) continue
      return handedOut(broker, input, round, found)
    }
    if (found.moved.length > 0) await note(broker, input.member_id, state, found)
    else if (!round.remembered && !(await wait.forNews(state))) return { state, ...found }
  }
}

function handedOut(
  broker: GroupsBroker,
  input: PollInput,
  { state, committed }: Round,
  found: Found,
): Polled {
  broker.groups.turns.next(nameOf(input))
  broker.groups.memory.keep(nameOf(input), state, found, committed)
  return { state, ...found }
}

/** The page behind the only one that was found, if the member comes back as soon as it did. */
function readOn(
  { groups }: GroupsBroker,
  { max_records, max_bytes }: PollInput,
  { gap_ms }: Round,
  { pages: [given] }: Found,
): void {
  if (!given || given.page.next_offset >= given.high_watermark) return
  const { partition_id } = given.standing.owned
  groups.ahead.begin(partition_id, given.page.next_offset, { max_records, max_bytes }, gap_ms)
}

/** One statement instead of two, where a member reads one partition on and on. */
async function noteWithCommit(
  broker: GroupsBroker,
  { member_id }: PollInput,
  { state: { group_id, generation_id }, committed }: Round,
  { pages, moved }: Found,
): Promise<boolean> {
  const [given] = pages
  if (!given || pages.length > 1 || moved.length > 0) return false
  const { partition_id } = given.standing.owned
  const done = committed.get(partition_id)
  if (done === undefined) return false
  const { seen } = given.standing
  const entry = { partition_id, seen, delivered: given.page.next_offset, committed: done }
  const call = { group_id, member_id, generation_id, explicit: false }
  return broker.groups.notesWithCommits.add({ ...call, entries: [entry] })
}

/** What fails once the commit is durable must not say that nothing was written. */
async function honestly<T>(round: Round, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    const { committed, is_deferred } = round
    if (is_deferred) throw error
    const isCommitted = await round.committing.then(
      () => committed.size > 0,
      () => false,
    )
    const problem = storeProblem(error, 'unknown')
    if (!isCommitted || !(problem instanceof ProblemError)) throw error
    const { code, message, details } = problem
    const hint = 'The offsets of this call are committed; the group goes on behind them.'
    throw new ProblemError(code, message, { ...details, hint, written: 'unknown' })
  }
}

const whatToRead = (input: PollInput): ReadInput => ({
  ...input,
  reader: nameOf(input),
  received: input.received?.offsets,
})

const nameOf = ({ group, member_id }: PollInput) => `${group} ${member_id}`

/** A member, and what is committed in its name by this call. */
interface Round {
  state: MemberState
  committed: ReadonlyMap<number, number>
  committing: Promise<void>
  /** The state is not of the database, but of this node's memory. */
  remembered: boolean
  /** The commit waits for the note, to go with it. */
  is_deferred: boolean
  /** Since this node last gave the member records. */
  gap_ms: number
}

async function begin(broker: GroupsBroker, input: PollInput, wait: PollWait): Promise<Round> {
  const known = remembered(broker, input)
  if (known) wait.follow(known.state)
  const round = known ?? (await lookAgain(broker, input, wait))
  if (input.commit === 'none') return round
  const committed = input.received?.offsets ?? inHandOf(round.state)
  if (known && committed.size === 1) return { ...round, committed, is_deferred: true }
  return { ...round, committed, committing: commitDone(broker, input, round.state, committed) }
}

/** A member that reads on and on, and for which there was more when it was last given records. */
function remembered(broker: GroupsBroker, input: PollInput): Round | undefined {
  const { memory, watch } = broker.groups
  const known = memory.take(nameOf(input), input.received)
  if (!known || needsHeartbeat(known.state)) return undefined
  const { state } = known
  const generations = [watch.generationOf(state.group_id), input.generation_id]
  if (generations.some((one) => one !== undefined && one !== state.generation_id)) return undefined
  if (!state.owned.some((one) => (one.delivered ?? 0) < one.high_watermark)) return undefined
  watch.touch(state.group_id)
  return {
    state,
    committed: new Map(),
    committing: Promise.resolve(),
    remembered: true,
    is_deferred: false,
    gap_ms: performance.now() - known.given_at,
  }
}

/** Or of one of the same name that has been deleted since. */
function ofAnotherGroup(group: string): ProblemError {
  const detail = `The ack is not of this group ${group}.`
  return new ProblemError('illegal_generation', detail, { written: 'no' })
}

/** Not with every poll: each is a write. */
function needsHeartbeat({ lease_ms, read_at, session_timeout_ms }: MemberState): boolean {
  return lease_ms - (performance.now() - read_at) < session_timeout_ms
}

async function lookAgain(broker: GroupsBroker, input: PollInput, wait: PollWait): Promise<Round> {
  wait.willLook()
  const state = await requireMember(broker, input)
  wait.follow(state)
  return {
    state,
    committed: new Map(),
    committing: Promise.resolve(),
    remembered: false,
    is_deferred: false,
    gap_ms: Infinity,
  }
}

/** Both to their end, so that nothing goes on behind an answer; the first one's failure counts more. */
async function both<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  const [one, two] = await Promise.allSettled([first, second])
  if (one.status === 'rejected') throw one.reason
  if (two.status === 'rejected') throw two.reason
  return [one.value, two.value]
}

async function requireMember(broker: GroupsBroker, input: PollInput): Promise<MemberState> {
  const state = await currentMember(broker, input)
  if (input.received && input.received.group_id !== state.group_id)
    throw ofAnotherGroup(input.group)
  if (needsHeartbeat(state)) {
    if (!(await broker.groups.heartbeats.add(input)))
      throw unknownMember(input.group, input.member_id)
  }
  broker.groups.watch.touch(state.group_id)
  return state
}
