import { hasTimestamp, lineStart, type Page, type StoredBatch } from './page.ts'

/** How a tail writes each record: text up to its offset, and text behind it. */
export interface TailStyle {
  before: string
  after: (nextOffset: number) => string
  /** Where a carriage return would end the line; between tokens it is but a space to JSON. */
  without_returns?: boolean
}

export interface TailPageBounds {
  max_records: number
  max_bytes: number
  /** Offset at which the tail ends, if it does. */
  end?: number | undefined
  /** Which records are wanted, by their stored line; all where undefined. */
  wants?: ((line: string) => boolean) | undefined
}

/**
 * Writes the wanted records from `offset` on; `next_offset` is behind the last one that was looked at. Like
 * writePage, nothing is parsed; a page holds at least one record however large, if one is wanted.
 */
export function writeTailPage(
  batches: readonly StoredBatch[],
  offset: number,
  bounds: TailPageBounds,
  style: TailStyle,
): Page {
  const page: Page = { text: '', record_count: 0, byte_length: 0, next_offset: offset }
  for (const batch of batches) if (!writeBatch(page, batch, bounds, style)) break
  return page
}

/** Adds what fits of a batch; false once the page is full or the tail ends. */
function writeBatch(
  page: Page,
  batch: StoredBatch,
  { max_records, max_bytes, end = Infinity, wants }: TailPageBounds,
  { before, after, without_returns = false }: TailStyle,
): boolean {
  const { payload, base_offset, appended_ms } = batch
  const stamp = `,"timestamp":${String(appended_ms)},`
  const isAscii = payload.length === batch.byte_length
  let from = lineStart(payload, page.next_offset - base_offset)
  while (from < payload.length) {
    if (page.next_offset >= end || page.record_count === max_records) return false
    const to = payload.indexOf('\n', from)
    if (!wants || wants(payload.slice(from, to))) {
      const middle = hasTimestamp(payload, from) ? ',' : stamp
      const sent = payload.slice(from + 1, to)
      const line = without_returns ? sent.replaceAll('\r', ' ') : sent
      const record = before + String(page.next_offset) + middle + line + after(page.next_offset + 1)
      const bytes = page.byte_length + (isAscii ? record.length : Buffer.byteLength(record))
      if (page.record_count > 0 && bytes > max_bytes) return false
      page.text += record
      page.byte_length = bytes
      page.record_count++
    }
    page.next_offset++
    from = to + 1
  }
  return true
}

/** Tells whether a stored line's record has this key. */
export function hasKey(key: string): (line: string) => boolean {
  // A key may be escaped in other ways than ours, but no way leaves out the member's name.
  return (line) => line.includes('"key"') && (JSON.parse(line) as { key?: unknown }).key === key
}
