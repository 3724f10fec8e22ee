import { ProblemError, type ProblemDetails } from '../contract/problem-error.ts'
import type { PartitionBounds } from '../store/fetch-batches.ts'

/** Where a partition's log begins, and the offset after its last record. */
type LogBounds = Omit<PartitionBounds, 'partition_id'>

/** May one read from this offset? From the end, too: what comes next is there. */
export function isInLog(offset: number, { log_start_offset, high_watermark }: LogBounds): boolean {
  return offset >= log_start_offset && offset <= high_watermark
}

/** A 416 with the bounds, so that the caller can choose an offset that is there. */
export function outOfRange(
  detail: string,
  { log_start_offset, high_watermark }: LogBounds,
  more: ProblemDetails = {},
): ProblemError {
  const members = { ...more.members, log_start_offset, high_watermark }
  return new ProblemError('offset_out_of_range', detail, { ...more, members })
}

/** Refuses to set an offset that is not there; `place` is the partition, for people. */
export function requireInLog(offset: number, place: string, bounds: LogBounds): void {
  if (isInLog(offset, bounds)) return
  const detail =
    `Offset ${String(offset)} of ${place} is outside the log, which begins at ` +
    `${String(bounds.log_start_offset)} and ends before ${String(bounds.high_watermark)}.`
  throw outOfRange(detail, bounds, { written: 'no' })
}
