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
  const pieces = piecesOf(frame)
  const stored = await broker.drains.outage.holding(frame.bytes, () =>
    Promise.all(pieces.map((piece) => store(broker, frame, piece))),
  )
  const repeated = stored.filter((isRepeated) => isRepeated).length
  const { tally } = broker.drains
  const { drain_id } = frame.drain
  if (repeated > 0) tally.repeated(drain_id, frame.decoded.ids ? repeated : 1)
  if (repeated < pieces.length || pieces.length === 0) {
    tally.received(drain_id, { id: frame.id, bytes: frame.bytes, seen: frame.decoded.seen })
  }
}

interface Piece {
  key: string
  body: Buffer
}

/**
 * What is stored once, and in one transaction each: a frame, cut where it holds more records than one transaction
 * should; or, where the sender names every event, each of those.
 */
function piecesOf({ decoded, drain, key }: Frame): Piece[] {
  const { records, ids } = decoded
  if (ids) {
    return records.map((record, k) => ({
      key: receiptKey(drain, `event\n${ids[k] ?? ''}`),
      body: Buffer.from(record),
    }))
  }
  const pieces: Piece[] = []
  for (let from = 0; from < records.length; from += LIMITS.records_per_request) {
    const part = records.slice(from, from + LIMITS.records_per_request)
    pieces.push({ key: receiptKey(drain, `frame ${String(from)}\n${key}`), body: linesOf(part) })
  }
  return pieces
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

/** True where it was there already. */
async function store(broker: Broker, frame: Frame, { key, body }: Piece): Promise<boolean> {
  const input = {
    topic: frame.drain.topic,
    bytes: body.length,
    parse: () => parseRecordLines(body),
    idempotency: { key, digest: ANY_BYTES },
    any_size: true,
  }
  // A topic that was deleted is made anew: to refuse would lose the lines.
  const creating = { topics: broker.topics, queue: broker.queue, auto_create_topics: true }
  const { outage } = broker.drains
  const until = performance.now() + frame.hold_ms
  const backoff = new Backoff()
  for (;;) {
    try {
      const { replayed } = await produce(creating, input)
      return replayed
    } catch (error) {
      if (!mayPass(error) || performance.now() > until || outage.isOver) throw error
      await outage.pause(backoff)
    }
  }
}

function mayPass(error: unknown): boolean {
  if (!(error instanceof ProblemError)) return false
  // A topic that is deleted just now will be made anew.
  return PROBLEMS[error.code].retriable || error.code === 'unknown_topic_or_partition'
}
