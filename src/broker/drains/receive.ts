import { createHash } from 'node:crypto'
import { LIMITS } from '../../contract/limits.ts'
import { ProblemError } from '../../contract/problem-error.ts'
import { PROBLEMS } from '../../contract/problems.ts'
import type { Decoded } from '../../drains/decoded.ts'
import { parseRecordLines } from '../../records/parse-body.ts'
import type { DrainRow } from '../../store/drains.ts'
import type { AppendQueue } from '../append-queue.ts'
import { Backoff } from '../back-off.ts'
import { produce } from '../produce.ts'
import type { TopicDirectory } from '../topic-directory.ts'
import { unknownDrain } from './drain-directory.ts'
import type { Drains } from './drains-broker.ts'
import type { DrainTally } from './tally.ts'

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
export async function findDrain(
  broker: { drains: Pick<Drains, 'directory' | 'outage'> },
  name: string,
  holdMs: number,
): Promise<DrainRow> {
  const { directory, outage } = broker.drains
  const until = performance.now() + holdMs
  const backoff = new Backoff()
  for (;;) {
    try {
      const drain = await directory.find(name)
      if (drain) return drain
      throw unknownDrain(name, 'no')
    } catch (error) {
      if (!mayPass(error) || performance.now() > until || outage.signal.aborted) throw error
      outage.suspect()
      await backoff.failed(outage.signal)
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
  for (const pieces of frame.decoded.ids ? eventsOf(frame) : cutsOf(frame)) {
    const results = pieces.map((piece) => store(broker, frame.drain, piece, until))
    stored.push(...(await Promise.all(results)))
  }
  return stored
}

/** What is stored once, and in one transaction. */
interface Piece {
  key: string
  body: Buffer
}

/**
 * Events that go into one flush. Each has a receipt of its own, which costs about half a millisecond, and a flush holds
 * the locks of its partitions until it is done: in turns, others get in between. All take as long together either way
 * (25,000: 12 s).
 */
const EVENTS_AT_ONCE = 500

/** Where the sender names every event: each of them, some at once. */
function* eventsOf({ decoded: { records, ids = [] }, drain }: Frame): Generator<Piece[]> {
  for (let from = 0; from < records.length; from += EVENTS_AT_ONCE) {
    yield records.slice(from, from + EVENTS_AT_ONCE).map((record, k) => ({
      key: receiptKey(drain, `event\n${ids[from + k] ?? ''}`),
      body: Buffer.from(record),
    }))
  }
}

/** A frame, cut where it has more records, or longer ones together, than one transaction should. */
function* cutsOf({ decoded: { records }, drain, key }: Frame): Generator<Piece[]> {
  for (let from = 0; from < records.length;) {
    const to = cutOf(records, from)
    const body = linesOf(records.slice(from, to))
    yield [{ key: receiptKey(drain, `frame ${String(from)}\n${key}`), body }]
    from = to
  }
}

/** A body of LIMITS.drain_body_bytes may be six times as long as JSON: longer than a string can be. */
function cutOf(records: readonly string[], from: number): number {
  const most = Math.min(from + LIMITS.records_per_request, records.length)
  let to = from
  for (let chars = 0; to < most; to++) {
    chars += records[to]?.length ?? 0
    if (to > from && chars > LIMITS.body_bytes) break
  }
  return to
}

/** With a newline behind the last line, too: the batch is then stored from where it lies. */
function linesOf(records: readonly string[]): Buffer {
  return Buffer.from(`${records.join('\n')}\n`)
}

/** Of a fixed size, whatever the sender calls its frames; two drains may use the same ids. */
function receiptKey(drain: DrainRow, id: string): string {
  const hash = createHash('sha256').update(id).digest('base64url')
  return `drain ${String(drain.drain_id)} ${hash}`
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
    parse: () => parseRecordLines(body),
    idempotency: { key, digest: ANY_BYTES },
    any_size: true,
  }
  // A topic that was deleted is made anew: to refuse would lose the lines.
  const creating = { topics: broker.topics, queue: broker.queue, auto_create_topics: true }
  const { outage } = broker.drains
  const backoff = new Backoff()
  for (;;) {
    try {
      const { replayed } = await produce(creating, input)
      return replayed
    } catch (error) {
      if (!mayPass(error) || performance.now() > until || outage.signal.aborted) throw error
      outage.suspect()
      await backoff.failed(outage.signal)
    }
  }
}

function mayPass(error: unknown): boolean {
  if (!(error instanceof ProblemError)) return false
  // A topic that is deleted just now will be made anew.
  return PROBLEMS[error.code].retriable || error.code === 'unknown_topic_or_partition'
}
