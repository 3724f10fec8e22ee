import type { Flush, NewBatch } from '../../src/store/append-batches.ts'

/** A flush of plain batches to one partition. */
export function plainFlush(
  partitionId: number,
  batches: readonly NewBatch[],
  payload: Buffer,
): Flush {
  return {
    partition_ids: [partitionId],
    batches: batches.map((batch) => ({ ...batch, request: 0, slot: 1 })),
    guards: [],
    payload: [payload],
  }
}
