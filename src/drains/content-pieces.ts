import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'

/** Which piece of a content that was too long for one record this is; pieces of one content share the id. */
export interface Part {
  id: string
  /** From 0. */
  index: number
  of: number
}

/** How many bytes each byte takes inside a JSON string. */
const COST = new Uint8Array(256).fill(1)
COST.fill(6, 0, 0x20)
for (const byte of Buffer.from('\b\t\n\f\r"\\')) COST[byte] = 2

/** The same where text cannot say it all: a replacement character for each wrong byte, and base64 beside it. */
const COST_WITH_BASE64 = COST.map((cost, byte) => (byte < 0x80 ? cost : 3) + 2)
const HIGHEST_COST = 8

/**
 * Cuts bytes so that each piece takes at most `room` bytes as a JSON string (and as base64 beside it, where the
 * bytes are not UTF-8), never inside a character. The pieces are views of the same memory.
 */
export function cutForJson(bytes: Buffer, room: number): Buffer[] {
  if (bytes.length * HIGHEST_COST <= room) return [bytes]
  const costs = isUtf8(bytes) ? COST : COST_WITH_BASE64
  const pieces: Buffer[] = []
  let from = 0
  let spent = 0
  for (let at = 0; at < bytes.length; at++) {
    const cost = costs[bytes[at] ?? 0] ?? 0
    if (spent + cost > room) {
      const cut = characterStart(bytes, from, at)
      pieces.push(bytes.subarray(from, cut))
      from = cut
      // What was spent on the bytes that moved to the next piece: none of them is ASCII.
      spent = (at - cut) * (costs[0x80] ?? 0)
    }
    spent += cost
  }
  pieces.push(bytes.subarray(from))
  return pieces
}

/** Where the character begins that the byte at `at` belongs to; `at` itself where that is no UTF-8. */
function characterStart(bytes: Buffer, from: number, at: number): number {
  for (let start = at; start > from && start > at - 4; start--) {
    const byte = bytes[start] ?? 0
    if ((byte & 0xc0) !== 0x80) return start
  }
  return at
}

/** A name for a content that is the same when it is sent again. */
export function partId(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 24)
}

/**
 * The value of a record made from text: `{"message","flags"?,"raw_base64"?,"part"?}`. What is not UTF-8 has
 * replacement characters in its message and its bytes in raw_base64.
 */
export function textValue(bytes: Buffer, flags: readonly string[], part?: Part): string {
  const raised = [...flags]
  const readable = isUtf8(bytes)
  if (!readable) raised.push('not_utf8')
  if (bytes.includes(0)) raised.push('nul')
  let value = `{"message":${JSON.stringify(bytes.toString())}`
  if (raised.length > 0) value += `,"flags":${JSON.stringify(raised)}`
  if (!readable) value += `,"raw_base64":"${bytes.toString('base64')}"`
  return `${value}${partMember(part)}}`
}

/** The value of a piece of a JSON text: the `json` of all pieces, put together, is that text. */
export function jsonPieceValue(bytes: Buffer, part: Part): string {
  return `{"json":${JSON.stringify(bytes.toString())},"flags":["cut"]${partMember(part)}}`
}

function partMember(part: Part | undefined): string {
  return part ? `,"part":${JSON.stringify(part)}` : ''
}
