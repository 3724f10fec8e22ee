import { createHash } from 'node:crypto'
import { LIMITS } from '../../contract/limits.ts'
import type { Decoded } from '../../drains/decoded.ts'

/** What is cut: the records of a request, and what it is stored once under. */
interface Whole {
  drain: { drain_id: number }
  decoded: Decoded
  key: string
}

/** What is stored once, and in one transaction. */
export interface Piece {
  key: string
  body: Buffer
}

/**
 * The pieces of a frame: those that may be stored at once together, in the order in which the lots come after each
 * other. The same request gives the same pieces under the same keys.
 */
export function piecesOf(whole: Whole): Iterable<Piece[]> {
  return whole.decoded.ids ? eventsOf(whole) : cutsOf(whole)
}

/**
 * Events that go into one flush. Each has a receipt of its own, which costs about half a millisecond, and a flush holds
 * the locks of its partitions until it is done: in turns, others get in between. All take as long together either way
 * (25,000: 12 s).
 */
const EVENTS_AT_ONCE = 500

/** Where the sender names every event: each of them, some at once. */
function* eventsOf({ decoded: { records, ids = [] }, drain }: Whole): Generator<Piece[]> {
  for (let from = 0; from < records.length; from += EVENTS_AT_ONCE) {
    yield records.slice(from, from + EVENTS_AT_ONCE).map((record, k) => ({
      key: receiptKey(drain, `event\n${ids[from + k] ?? ''}`),
      body: Buffer.from(record),
    }))
  }
}

/**
 * A frame, cut where it has more records, or longer ones together, than one transaction should. The records are taken
 * out as they become bytes: strings that were put together from 30 pieces each, of 64 frames that wait for the
 * database, made the collector of garbage take three times as long as all else.
 */
function* cutsOf({ decoded: { records }, drain, key }: Whole): Generator<Piece[]> {
  for (let from = 0; records.length > 0;) {
    const taken = records.splice(0, cutOf(records))
    const body = linesOf(taken)
    const piece = { key: receiptKey(drain, `frame ${String(from)}\n${key}`), body }
    from += taken.length
    taken.length = 0
    yield [piece]
  }
}

/** A body of LIMITS.drain_body_bytes may be six times as long as JSON: longer than a string can be. */
function cutOf(records: readonly string[]): number {
  const most = Math.min(LIMITS.records_per_request, records.length)
  let to = 0
  for (let chars = 0; to < most; to++) {
    chars += records[to]?.length ?? 0
    if (to > 0 && chars > LIMITS.body_bytes) break
  }
  return to
}

/** With a newline behind the last line, too: the batch is then stored from where it lies. */
function linesOf(records: readonly string[]): Buffer {
  return Buffer.from(`${records.join('\n')}\n`)
}

/** Of a fixed size, whatever the sender calls its frames; two drains may use the same ids. */
function receiptKey(drain: Whole['drain'], id: string): string {
  const hash = createHash('sha256').update(id).digest('base64url')
  return `drain ${String(drain.drain_id)} ${hash}`
}
