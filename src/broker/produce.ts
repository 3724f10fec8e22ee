import { LIMITS } from '../contract/limits.ts'
import { ProblemError } from '../contract/problem-error.ts'
import type { ExpectedOffset, ProduceResponse } from '../contract/records.ts'
import { packBatches } from '../records/pack.ts'
import type { RecordTable } from '../records/record-table.ts'
import { storeProblem } from '../store/sqlstate.ts'
import type { TopicRow } from '../store/topics.ts'
import { PartitionGone, type AppendQueue } from './append-queue.ts'
import type { AppendPart, AppendRequest, AppendResult } from './flush-plan.ts'
import { partitionOf } from './partitioner.ts'
import {
  maxRecordBytes,
  unknownPartition,
  unknownTopic,
  type TopicDirectory,
} from './topic-directory.ts'

export interface ProduceInput {
  topic: string
  /** Size of the body. */
  bytes: number
  /** Reads the body into the record table; called again if the topic must first be looked up. */
  parse: () => { table: RecordTable; expected_offsets: readonly ExpectedOffset[] }
  /** For all records that name none themselves. */
  partition?: number | undefined
  idempotency?: { key: string; digest: string } | undefined
  /** Larger records than the topic allows are stored, too: to refuse log lines would lose them. */
  any_size?: boolean
}

export interface Produced {
  response: ProduceResponse
  replayed: boolean
  topic_created: boolean
}

interface Broker {
  topics: TopicDirectory
  queue: AppendQueue
  auto_create_topics: boolean
}

/** Stores a request's records, all or none, and resolves after they are durable. */
export async function produce(broker: Broker, input: ProduceInput): Promise<Produced> {
  if (input.bytes >= LIMITS.large_body_bytes) await broker.queue.readingTurn(input.bytes)
  let topic = broker.topics.known(input.topic)
  let created = false
  if (!topic) {
    const missing = refusalOfMissing(input)
    const found = await findTopic(broker, input.topic, missing)
    topic = found.topic
    created = found.created
  }
  try {
    const result = await broker.queue.append(planRequest(topic, input))
    return { ...answer(topic, result), topic_created: created }
  } catch (error) {
    if (!(error instanceof PartitionGone)) throw error
    broker.topics.forget(input.topic)
    throw new ProblemError(
      'unknown_topic_or_partition',
      `Topic ${input.topic} was deleted while the request was under way.`,
      { written: 'no', hint: 'Send the request again if the topic is to be created anew.' },
    )
  }
}

/**
 * Why this request could not be stored in a topic made for it, which would have one empty partition and
 * the default settings: a request that is refused stores nothing, not even a topic.
 */
function refusalOfMissing(input: ProduceInput): ProblemError | undefined {
  const { table, expected_offsets } = input.parse()
  const partitions = [input.partition ?? 0, ...expected_offsets.map(({ partition }) => partition)]
  for (let k = 0; k < table.count; k++) partitions.push(table.partition[k] ?? 0)
  if (partitions.some((partition) => partition > 0)) return unknownTopic(input.topic, 'no')
  if (expected_offsets.some(({ offset }) => offset > 0)) {
    return offsetMismatch([{ partition: 0, high_watermark: 0 }])
  }
  return oversized(input.topic, LIMITS.record_bytes, table)
}

async function findTopic(
  broker: Broker,
  name: string,
  refusal: ProblemError | undefined,
): Promise<{ topic: TopicRow; created: boolean }> {
  try {
    const topic = await broker.topics.find(name)
    if (topic) return { topic, created: false }
    if (!broker.auto_create_topics) throw unknownTopic(name, 'no')
    if (refusal) throw refusal
    return await broker.topics.findOrCreate(name)
  } catch (error) {
    // Only the topic was asked for; no record has been sent to the database yet.
    throw storeProblem(error, 'no')
  }
}

/** From the parsed records to batches per partition. Synchronous: the record table is shared. */
function planRequest(topic: TopicRow, input: ProduceInput): AppendRequest {
  const { table, expected_offsets } = input.parse()
  const tooLarge = oversized(topic.name, maxRecordBytes(topic.config), table)
  if (tooLarge && !input.any_size) throw tooLarge
  const keyHash = input.idempotency && Buffer.from(input.idempotency.key)
  const home = keyHash ? partitionOf(keyHash, topic.first_partitions) : undefined
  const parts = splitByPartition(topic, table, input.partition, home)
  const request: AppendRequest = { parts, bytes: sizeOf(parts) }
  if (!input.idempotency && expected_offsets.length === 0) return request
  const expected = expected_offsets.map(
    ({ partition, offset }) => [partitionId(topic, partition), offset] as const,
  )
  const guard = {
    home: partitionId(topic, home ?? 0),
    key: input.idempotency?.key ?? null,
    digest: input.idempotency?.digest ?? null,
    expected,
  }
  return { ...request, guard }
}

function sizeOf(parts: readonly AppendPart[]): number {
  let bytes = 0
  for (const part of parts) for (const batch of part.batches) bytes += batch.payload.length
  return bytes
}

function partitionId(topic: TopicRow, partition: number): number {
  const id = topic.partition_ids[partition]
  if (id === undefined) throw unknownPartition(topic, partition, 'no')
  return id
}

function oversized(topic: string, limit: number, table: RecordTable): ProblemError | undefined {
  // Most bodies are smaller than one record may be.
  if (table.source.length <= limit && table.rebuilt.size === 0) return undefined
  for (let k = 0; k < table.count; k++) {
    const bytes = table.lineLength(k)
    if (bytes <= limit) continue
    const sizes = `${bytes.toLocaleString('en')} bytes as stored; topic ${topic} allows ${limit.toLocaleString('en')}`
    return new ProblemError(
      'message_too_large',
      `Record ${String(k)} of the request has ${sizes}.`,
      {
        written: 'no',
        members: { record: k, max_record_bytes: limit },
      },
    )
  }
  return undefined
}

/** Where the unkeyed records of the next request go, per topic: requests take turns. */
const turns = new Map<number, number>()
/** Past this many topics all begin anew, at partitions chosen by chance. */
const REMEMBERED_TURNS = 10_000

function nextTurn(topic: TopicRow): number {
  if (topic.partitions === 1) return 0
  if (turns.size > REMEMBERED_TURNS) turns.clear()
  const turn =
    (turns.get(topic.topic_id) ?? Math.floor(Math.random() * topic.partitions)) % topic.partitions
  turns.set(topic.topic_id, turn + 1)
  return turn
}

/**
 * Explicit partition, else the key's, else one for all records of the request: the home of its
 * Idempotency-Key, so that a retry finds it again, or the next in turn.
 */
function splitByPartition(
  topic: TopicRow,
  table: RecordTable,
  partition: number | undefined,
  home: number | undefined,
): AppendPart[] {
  if (topic.partitions === 1) checkExplicit(topic, table, partition)
  if (topic.partitions === 1 || table.count === 0) return [asPart(topic, 0, table)]
  const fallback = partition ?? home ?? nextTurn(topic)
  const choose = (k: number): number => {
    const explicit = table.partition[k] ?? -1
    if (explicit >= 0 || partition !== undefined) return explicit >= 0 ? explicit : fallback
    const key = table.key(k)
    return key ? partitionOf(key, topic.partitions) : fallback
  }
  const chosen = new Map<number, number[]>()
  for (let k = 0; k < table.count; k++) {
    const target = choose(k)
    const members = chosen.get(target)
    if (members) members.push(k)
    else chosen.set(target, [k])
  }
  if (chosen.size === 1) return [asPart(topic, [...chosen.keys()][0] ?? 0, table)]
  return [...chosen]
    .map(([target, members]) => asPart(topic, target, table, Int32Array.from(members)))
    .sort((a, b) => a.partition_id - b.partition_id)
}

function checkExplicit(topic: TopicRow, table: RecordTable, partition: number | undefined): void {
  if (partition !== undefined) partitionId(topic, partition)
  for (let k = 0; k < table.count; k++) {
    const explicit = table.partition[k] ?? -1
    if (explicit > 0) partitionId(topic, explicit)
  }
}

function asPart(
  topic: TopicRow,
  partition: number,
  table: RecordTable,
  members?: Int32Array,
): AppendPart {
  return {
    partition_id: partitionId(topic, partition),
    batches: packBatches(table, members),
    record_count: members ? members.length : table.count,
  }
}

function answer(
  topic: TopicRow,
  result: AppendResult,
): { response: ProduceResponse; replayed: boolean } {
  const partition = (id: number) => topic.partition_ids.indexOf(id)
  switch (result.status) {
    case 'ok':
    case 'replayed': {
      const offsets = result.parts.map(({ partition_id, base_offset, record_count }) => ({
        partition: partition(partition_id),
        base_offset,
        record_count,
      }))
      return { response: { topic: topic.name, offsets }, replayed: result.status === 'replayed' }
    }
    case 'key_reused':
      throw new ProblemError(
        'idempotency_key_reused',
        'A request with this Idempotency-Key was stored before, and it was a different one.',
        { written: 'no' },
      )
    case 'offset_mismatch': {
      const offsets = [...result.high_watermarks].map(([id, high_watermark]) => ({
        partition: partition(id),
        high_watermark,
      }))
      throw offsetMismatch(offsets)
    }
  }
}

function offsetMismatch(offsets: { partition: number; high_watermark: number }[]): ProblemError {
  const [first] = offsets
  const where = `partition ${String(first?.partition)} is at ${String(first?.high_watermark)}`
  return new ProblemError(
    'offset_mismatch',
    `The high watermark of ${where}, not where expected.`,
    {
      written: 'no',
      members: { offsets },
    },
  )
}
