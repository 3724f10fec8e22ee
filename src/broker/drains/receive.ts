import { LIMITS } from '../../contract/limits.ts'
import { ProblemError } from '../../contract/problem-error.ts'
import { PROBLEMS } from '../../contract/problems.ts'
import type { Decoded } from '../../drains/decoded.ts'
import { tableOfOwnLines } from '../../records/own-lines.ts'
import type { DrainRow } from '../../store/drains.ts'
import type { AppendQueue } from '../append-queue.ts'
import { Backoff } from '../back-off.ts'
import { produce } from '../produce.ts'
import type { TopicDirectory } from '../topic-directory.ts'
import { unknownDrain } from './drain-directory.ts'
import type { Drains } from './drains-broker.ts'
import { piecesOf, type Piece } from './frame-pieces.ts'
import type { DrainOutage } from './outage.ts'
import type { DrainTally } from './tally.ts'

export type { DrainRow } from '../../store/drains.ts'

/** One request of a sender. */
export interface Frame {
  drain: DrainRow
  decoded: Decoded
  /** What the sender calls it. */
  id: string | undefined
  /** What it is stored once under: the sender's id, or one made for this request alone. */
  key: string
  /** Size of the body. */
  bytes: number
  /** For how long it is tried again here. */
  hold_ms: number
}

/**
 * The drain of this name; a problem where there is none. One that this node does not know yet is asked for until the
 * database is back.
 */
export function findDrain(
  broker: { drains: Pick<Drains, 'directory' | 'outage'> },
  name: string,
  holdMs: number,
): Promise<DrainRow> {
  const { directory, outage } = broker.drains
  return patiently(outage, performance.now() + holdMs, async () => {
    const drain = await directory.find(name)
    if (drain) return drain
    throw unknownDrain(name, 'no')
  })
}

/** Resolves when a body of this size may be read into records, synchronously. */
export async function readingTurn(broker: Broker, bytes: number, holdMs: number): Promise<void> {
  if (bytes < LIMITS.large_body_bytes) return
  const until = performance.now() + holdMs
  await patiently(broker.drains.outage, until, () => broker.queue.readingTurn(bytes))
}

/** Tries again what fails for a while, until then (by performance.now()). */
async function patiently<T>(
  outage: DrainOutage,
  until: number,
  work: () => Promise<T>,
): Promise<T> {
  const backoff = new Backoff()
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!mayPass(error) || performance.now() > until || outage.isOver) throw error
      await outage.pause(backoff)
    }
  }
}

interface Broker {
  topics: TopicDirectory
  queue: AppendQueue
  drains: Drains
}

/**
 * Stores what a sender sent, once, and resolves after it is durable. While the database is away it goes on trying
 * for `hold_ms`, even when the sender has given up: one that repeats the frame does no harm, and one that does not
 * would have lost it.
 */
export async function receiveFrame(broker: Broker, frame: Frame): Promise<void> {
  const stored = await broker.drains.outage.holding(frame.bytes, () => storeAll(broker, frame))
  count(broker.drains.tally, frame, stored)
}

/** `stored`: of each piece, was it there already? */
function count(tally: DrainTally, frame: Frame, stored: readonly boolean[]): void {
  const { drain, decoded, id, bytes } = frame
  const repeated = stored.filter((isRepeated) => isRepeated).length
  // Of a sender that names its events each is a piece; what came before was counted then.
  const lines = decoded.ids ? Math.max(0, decoded.seen.lines - repeated) : decoded.seen.lines
  if (repeated > 0) tally.repeated(drain.drain_id, decoded.ids ? repeated : 1)
  if (repeated < stored.length || stored.length === 0) {
    tally.received(drain.drain_id, { id, bytes, seen: { ...decoded.seen, lines } })
  }
}

/**
 * Stores the pieces of a frame, and says of each whether it was there already. Of a frame without ids one after the
 * other, so that lines stay in order; of events some at once, which go into one transaction.
 */
async function storeAll(broker: Broker, frame: Frame): Promise<boolean[]> {
  const until = performance.now() + frame.hold_ms
  const stored: boolean[] = []
  for (const pieces of piecesOf(frame)) {
    const results = pieces.map((piece) => store(broker, frame.drain, piece, until))
    stored.push(...(await Promise.all(results)))
  }
  return stored
}

/** A retry may carry other bytes under the same id, with a notice of loss in front: the id alone decides. */
const ANY_BYTES = 'frame'

/** Tried again until then, by performance.now(). True where it was there already. */
async function store(
  broker: Broker,
  drain: DrainRow,
  { key, body }: Piece,
  until: number,
): Promise<boolean> {
  const input = {
    topic: drain.topic,
    bytes: body.length,
    parse: () => ({ table: tableOfOwnLines(body), expected_offsets: [] }),
    idempotency: { key, digest: ANY_BYTES },
    any_size: true,
  }
  // A topic that was deleted is made anew: to refuse would lose the lines.
  const creating = { topics: broker.topics, queue: broker.queue, auto_create_topics: true }
  const { replayed } = await patiently(broker.drains.outage, until, () => produce(creating, input))
  return replayed
}

function mayPass(error: unknown): boolean {
  if (!(error instanceof ProblemError)) return false
  // A topic that is deleted just now will be made anew.
  return PROBLEMS[error.code].retriable || error.code === 'unknown_topic_or_partition'
}
