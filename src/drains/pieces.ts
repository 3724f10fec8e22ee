import type { Frame } from './frames.ts'

/** A control character takes six characters in JSON, and stands in message and raw: 16 x 6 x 2 KiB of 960. */
export const PIECE_BYTES = 64 * 1024

/** Cuts a message into pieces of at most this size, not within a UTF-8 character where it has some. */
export function cutPieces(body: Buffer, frame: Frame): Frame[] {
  const pieces: Frame[] = []
  for (let start = frame.start; start < frame.end;) {
    const end = pieceEnd(body, start, frame.end)
    pieces.push({ ...frame, from: start, start, end, to: end })
    start = end
  }
  const [first] = pieces
  const last = pieces.at(-1)
  if (first) first.from = frame.from
  if (last) last.to = frame.to
  return pieces
}

function pieceEnd(body: Buffer, start: number, to: number): number {
  const end = start + PIECE_BYTES
  if (end >= to) return to
  // A character has at most three bytes 10xxxxxx behind its first.
  for (let at = end; at > end - 4; at--) if (((body[at] ?? 0) & 0xc0) !== 0x80) return at
  return end
}
