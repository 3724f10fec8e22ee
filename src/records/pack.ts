import { LIMITS } from '../contract/limits.ts'
import type { RecordTable } from './record-table.ts'
import { NEWLINE } from './scan-json.ts'

/** Contiguous records of one partition in their stored form, at most about LIMITS.batch_bytes. */
export interface Batch {
  /** One record's JSON text per line, each ended by a newline. */
  payload: Buffer
  record_count: number
  /** Epoch ms over the timestamps the client gave, 0 where it gave none. */
  max_timestamp: number
  /** Some record takes the time of its storing. */
  stamps: boolean
}

/** Some of a table's records, in order; all of them where `indexes` is undefined. */
interface Selection {
  table: RecordTable
  indexes: Int32Array | undefined
}

function at({ indexes }: Selection, k: number): number {
  return indexes ? (indexes[k] ?? 0) : k
}

/** Lays the lines of the given records (all of the table where undefined) side by side. */
export function packBatches(table: RecordTable, indexes?: Int32Array): Batch[] {
  const selection = { table, indexes }
  const count = indexes ? indexes.length : table.count
  const batches: Batch[] = []
  let from = 0
  let bytes = 0
  for (let k = 0; k < count; k++) {
    bytes += table.lineLength(at(selection, k)) + 1
    if (bytes < LIMITS.batch_bytes && k + 1 < count) continue
    const payload = takeOver(selection, from, k + 1) ?? copyLines(selection, from, k + 1)
    batches.push({ payload, record_count: k + 1 - from, ...timestamps(selection, from, k + 1) })
    from = k + 1
    bytes = 0
  }
  return batches
}

function timestamps(
  selection: Selection,
  from: number,
  to: number,
): Pick<Batch, 'max_timestamp' | 'stamps'> {
  let max_timestamp = 0
  let stamps = false
  for (let k = from; k < to; k++) {
    const timestamp = selection.table.timestamp[at(selection, k)] ?? -1
    if (timestamp < 0) stamps = true
    else if (timestamp > max_timestamp) max_timestamp = timestamp
  }
  return { max_timestamp, stamps }
}

/**
 * The payload as a piece of the body itself, where the lines follow each other in it with one byte (a comma,
 * a newline, the bracket at the end) between them: that byte becomes the newline. 1,000 records then cost
 * 1,000 byte writes instead of 1,000 copies.
 */
function takeOver({ table, indexes }: Selection, from: number, to: number): Buffer | undefined {
  if (indexes ?? table.rebuilt.size > 0) return undefined
  const { source, line_start, line_end } = table
  for (let k = from + 1; k < to; k++) {
    if (line_start[k] !== (line_end[k - 1] ?? 0) + 1) return undefined
  }
  const end = line_end[to - 1] ?? 0
  if (end >= source.length) return undefined
  for (let k = from; k < to; k++) source[line_end[k] ?? 0] = NEWLINE
  return source.subarray(line_start[from], end + 1)
}

function copyLines(selection: Selection, from: number, to: number): Buffer {
  const { table } = selection
  let bytes = 0
  for (let k = from; k < to; k++) bytes += table.lineLength(at(selection, k)) + 1
  const payload = Buffer.allocUnsafe(bytes)
  let end = 0
  for (let k = from; k < to; k++) {
    end += table.line(at(selection, k)).copy(payload, end)
    payload[end++] = NEWLINE
  }
  return payload
}
