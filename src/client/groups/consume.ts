import { GroupMember, hasLostPlace } from './member.ts'
import type { ConsumedRecord, ConsumeOptions, RecordHandler } from './options.ts'
import { lanesOf, workOn, type Lane } from './work.ts'

/** For the last words: the work is done, only the server may be slow. */
const FAREWELL_MS = 5_000
const CONCURRENCY = 8

/**
 * Reads topics (or prefixes, `orders.*`) as a member of a group, and calls `handler` with each record: one after the
 * other within a partition, partitions side by side. What the handler has resolved for is committed with the next
 * poll, so after a crash some records come again, and none is left out.
 *
 * Resolves when `options.signal` is aborted, after what was begun is finished and committed and the group left.
 * Rejects with what a handler threw, in the same orderly way; or with a CallError where the group cannot be joined,
 * or another process has joined under this member's own name.
 */
export async function consume(
  base: string,
  options: ConsumeOptions,
  handler: RecordHandler,
): Promise<void> {
  const { signal = new AbortController().signal } = options
  const member = new GroupMember(base, options)
  let lanes: Lane[] = []
  try {
    await member.join(signal)
    for (;;) {
      lanes = lanesOf(await pollOrJoin(member, options, signal))
      await workThrough(member, lanes, handler, options)
    }
  } catch (error) {
    // What is done and was to be committed by the next poll, which is not to come.
    await farewell(member, lanes)
    if (!signal.aborted) throw error
  }
}

async function farewell(member: GroupMember, lanes: readonly Lane[]): Promise<void> {
  const last = AbortSignal.timeout(FAREWELL_MS)
  const done = lanes.flatMap(({ topic, partition, done: offset }) =>
    offset === undefined ? [] : [{ topic, partition, offset }],
  )
  await member.commit(done, last).catch(() => undefined)
  await member.leave(last).catch(() => undefined)
}

/** Where the session has ended meanwhile, the member joins again and reads on from what is committed. */
async function pollOrJoin(
  member: GroupMember,
  { member_id }: ConsumeOptions,
  signal: AbortSignal,
): Promise<ConsumedRecord[]> {
  try {
    return await member.poll(signal)
  } catch (error) {
    if (!hasLostPlace(error)) throw error
    // Under a name of its own it may have been replaced, and two would throw each other out for ever.
    if (member_id !== undefined) await requireNotReplaced(member, signal)
    await member.join(signal)
    return []
  }
}

async function requireNotReplaced(member: GroupMember, signal: AbortSignal): Promise<void> {
  try {
    await member.heartbeat(signal)
  } catch (error) {
    if (!isUnknown(error)) throw error
  }
}

function isUnknown(error: unknown): boolean {
  return (error as { status?: number }).status === 404
}

/** Calls the handler for all, and says meanwhile that the member lives. */
async function workThrough(
  member: GroupMember,
  lanes: readonly Lane[],
  handler: RecordHandler,
  { signal = new AbortController().signal, concurrency = CONCURRENCY }: ConsumeOptions,
): Promise<void> {
  const over = new AbortController()
  const beat = () => void member.heartbeat(over.signal).catch(() => undefined)
  const beating = setInterval(beat, member.session_timeout_ms / 3)
  try {
    await workOn(lanes, handler, { concurrency, signal })
    signal.throwIfAborted()
  } finally {
    clearInterval(beating)
    over.abort()
  }
}
