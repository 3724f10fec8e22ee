import { LIMITS } from '../contract/limits.ts'
import type { Batch } from '../records/pack.ts'
import type { Flush, FlushOutcome, Guard, NewBatch } from '../store/append-batches.ts'

/** The records of one request for one partition. */
export interface AppendPart {
  partition_id: number
  batches: readonly Batch[]
  record_count: number
}

/** One request's records; parts in ascending order of partition_id. */
export interface AppendRequest {
  parts: readonly AppendPart[]
  bytes: number
  guard?: Guard
}

export interface AppendedPart {
  partition_id: number
  base_offset: number
  record_count: number
}

export type AppendResult =
  | { status: 'ok'; parts: readonly AppendedPart[] }
  | { status: 'replayed'; parts: readonly AppendedPart[] }
  | { status: 'key_reused' }
  | { status: 'offset_mismatch'; high_watermarks: ReadonlyMap<number, number> }

/** A row being filled: batches of plain requests for the same partition share rows up to batch_bytes. */
interface Row extends NewBatch {
  payloads: Buffer[]
}

/** The plain records of one partition, with where in them each request's part begins. */
interface PlainPartition {
  rows: Row[]
  record_count: number
  starts: Map<AppendRequest, number>
}

/** Several requests laid out as one flush, and how to read their results from its answer. Pure. */
export class FlushPlan {
  readonly flush: Flush
  readonly #requests: readonly AppendRequest[]
  readonly #guarded: readonly AppendRequest[]
  readonly #plain: ReadonlyMap<number, PlainPartition>

  constructor(requests: readonly AppendRequest[]) {
    this.#requests = requests
    this.#guarded = requests.filter((request) => request.guard)
    this.#plain = gatherPlain(requests.filter((request) => !request.guard))
    this.flush = this.#layOut()
  }

  #layOut(): Flush {
    const partition_ids = [...new Set(this.#requests.flatMap(lockedBy))].sort((a, b) => a - b)
    const slots = new Map(partition_ids.map((id, index) => [id, index + 1]))
    const batches: (NewBatch & { request: number; slot: number })[] = []
    const payloads: Buffer[] = []
    const add = (request: number, partitionId: number, rows: readonly Row[]) => {
      for (const { payloads: bytes, ...row } of rows) {
        batches.push({ ...row, request, slot: slots.get(partitionId) ?? 0 })
        payloads.push(...bytes)
      }
    }
    for (const id of partition_ids) add(0, id, this.#plain.get(id)?.rows ?? [])
    this.#guarded.forEach((request, index) => {
      for (const part of request.parts) add(index + 1, part.partition_id, part.batches.map(asRow))
    })
    return {
      partition_ids,
      batches,
      guards: this.#guarded.map((request) => request.guard as Guard),
      payload: payloads,
    }
  }

  /** Is it one partition without guards, which has a cheaper statement? */
  get isPlain(): boolean {
    return this.flush.partition_ids.length === 1 && this.flush.guards.length === 0
  }

  /** Results where everything was written to one partition from `baseOffset` on. */
  plainResults(baseOffset: number): Map<AppendRequest, AppendResult> {
    const bases = new Map(this.flush.partition_ids.map((id) => [id, baseOffset]))
    return new Map(this.#requests.map((request) => [request, this.#plainResult(request, bases)]))
  }

  /** Results by the rows of append_flush, whose locks were all had. */
  results(outcomes: readonly FlushOutcome[]): Map<AppendRequest, AppendResult> {
    const plainBases = new Map<number, number>()
    const guarded = new Map<AppendRequest, FlushOutcome[]>()
    for (const outcome of outcomes) {
      const request = this.#guarded[(outcome.request ?? 0) - 1]
      if (request) guarded.set(request, [...(guarded.get(request) ?? []), outcome])
      else plainBases.set(this.#idOf(outcome), outcome.base_offset ?? 0)
    }
    return new Map(
      this.#requests.map((request) => {
        const own = guarded.get(request)
        return [
          request,
          own ? this.#guardedResult(request, own) : this.#plainResult(request, plainBases),
        ]
      }),
    )
  }

  /** Which partitions an answer names, for busy and unknown_partition. */
  partitionsOf(outcomes: readonly FlushOutcome[]): Set<number> {
    return new Set(outcomes.map((outcome) => this.#idOf(outcome)))
  }

  #idOf(outcome: FlushOutcome): number {
    return this.flush.partition_ids[(outcome.slot ?? 0) - 1] ?? 0
  }

  #plainResult(request: AppendRequest, bases: ReadonlyMap<number, number>): AppendResult {
    const parts = request.parts.map(({ partition_id, record_count }) => ({
      partition_id,
      base_offset:
        (bases.get(partition_id) ?? 0) + (this.#plain.get(partition_id)?.starts.get(request) ?? 0),
      record_count,
    }))
    return { status: 'ok', parts }
  }

  #guardedResult(request: AppendRequest, outcomes: readonly FlushOutcome[]): AppendResult {
    const [first] = outcomes
    if (first?.status === 'replayed') {
      return { status: 'replayed', parts: (first.offsets ?? []).map(storedPart) }
    }
    if (first?.status === 'key_reused') return { status: 'key_reused' }
    if (first?.status === 'offset_mismatch') {
      const pairs = first.offsets as [number, number][]
      return { status: 'offset_mismatch', high_watermarks: new Map(pairs) }
    }
    const bases = new Map(
      outcomes.map((outcome) => [this.#idOf(outcome), outcome.base_offset ?? 0]),
    )
    const parts = request.parts.map(({ partition_id, record_count }) => ({
      partition_id,
      base_offset: bases.get(partition_id) ?? 0,
      record_count,
    }))
    return { status: 'ok', parts }
  }
}

function storedPart([partition_id = 0, base_offset = 0, record_count = 0]: number[]): AppendedPart {
  return { partition_id, base_offset, record_count }
}

/** Every partition a request needs the lock of. */
export function lockedBy(request: AppendRequest): number[] {
  const ids = request.parts.map((part) => part.partition_id)
  if (request.guard) ids.push(request.guard.home, ...request.guard.expected.map(([id]) => id))
  return ids
}

function asRow(batch: Batch): Row {
  const { payload, ...rest } = batch
  return { ...rest, byte_length: payload.length, payloads: [payload] }
}

function gatherPlain(requests: readonly AppendRequest[]): Map<number, PlainPartition> {
  const partitions = new Map<number, PlainPartition>()
  for (const request of requests) {
    for (const part of request.parts) {
      let partition = partitions.get(part.partition_id)
      if (!partition) {
        partition = { rows: [], record_count: 0, starts: new Map() }
        partitions.set(part.partition_id, partition)
      }
      partition.starts.set(request, partition.record_count)
      partition.record_count += part.record_count
      for (const batch of part.batches) addBatch(partition.rows, batch)
    }
  }
  return partitions
}

/** Adds a batch to the last row, if it fits there. */
function addBatch(rows: Row[], batch: Batch): void {
  const last = rows.at(-1)
  if (!last || last.byte_length + batch.payload.length > LIMITS.batch_bytes) {
    rows.push(asRow(batch))
    return
  }
  last.payloads.push(batch.payload)
  last.byte_length += batch.payload.length
  last.record_count += batch.record_count
  last.max_timestamp = Math.max(last.max_timestamp, batch.max_timestamp)
  last.stamps ||= batch.stamps
}
