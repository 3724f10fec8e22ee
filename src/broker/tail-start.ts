import { LIMITS } from '../contract/limits.ts'
import { invalidField, ProblemError } from '../contract/problem-error.ts'
import type { TopicRow } from '../store/topics.ts'
import { offsetForTimestamp, type FetchingBroker } from './fetch.ts'
import { outOfRange } from './log-bounds.ts'
import { placeOf } from './place.ts'
import { formatPosition } from './tail-position.ts'
import { targetsOf, withBounds, type BoundedTarget, type Target } from './targets.ts'
import { told } from './told.ts'

/** Where a tail begins or ends. */
export type TailPoint =
  | { kind: 'earliest' | 'latest' }
  | { kind: 'last'; records: number }
  | { kind: 'timestamp'; timestamp: number }
  | { kind: 'position'; offsets: ReadonlyMap<string, number> }

/** A partition of a tail with where it begins and, where the tail ends by itself, ends. */
export interface StartedPartition extends Target {
  offset: number
  end: number | undefined
  high_watermark: number
}

export interface StartInput {
  topics: readonly string[]
  /** Do positions name topics? */
  names_topics: boolean
  /** Of the only topic; all of them where undefined. */
  partitions?: readonly number[] | undefined
  from: TailPoint
  until?: TailPoint | undefined
}

/** Looks up where every partition of a tail begins and ends. */
export async function startPartitions(
  broker: FetchingBroker,
  input: StartInput,
): Promise<StartedPartition[]> {
  try {
    return await lookUp(broker, input)
  } catch (error) {
    if (!(error instanceof ProblemError) || error.code !== 'unknown_topic_or_partition') throw error
    // A position of another node may name a partition that this one has not heard of yet.
    for (const name of input.topics) broker.topics.forget(name)
    return lookUp(broker, input)
  }
}

async function lookUp(broker: FetchingBroker, input: StartInput): Promise<StartedPartition[]> {
  const found = await findTargets(broker, input)
  const targets = await told(false, () => withBounds(broker, found))
  const offsetsAt = async (point: TailPoint) => {
    requireKnown(point, targets)
    return Promise.all(targets.map((target) => offsetAt(broker, target, point)))
  }
  const begins = await offsetsAt(input.from)
  const ends = input.until && (await offsetsAt(input.until))
  return targets.map(({ log_start_offset: _, ...target }, k) => ({
    ...target,
    offset: begins[k] ?? 0,
    end: ends?.[k],
  }))
}

async function findTargets(broker: FetchingBroker, input: StartInput): Promise<Target[]> {
  const topics: TopicRow[] = []
  for (const name of input.topics) topics.push(await broker.topics.require(name))
  const targets = topics.flatMap((topic) => targetsOf(topic, input.partitions))
  if (targets.length > LIMITS.partitions_per_tail) {
    const most = `at most ${String(LIMITS.partitions_per_tail)} partitions`
    throw invalidField('query', '/topics', `have ${String(targets.length)} partitions; ${most}`)
  }
  requireNameable(targets, input.names_topics)
  return targets
}

/** Room for offsets of nine digits, as 1,000 partitions of one topic have. */
const MANY = 999_999_999

/** A position that is too long to be given back would be none. */
function requireNameable(targets: readonly Target[], namesTopics: boolean): void {
  const places = targets.map(({ topic, partition }) => ({
    topic: topic.name,
    partition,
    offset: MANY,
  }))
  if (formatPosition(places, namesTopics).length <= LIMITS.tail_position_chars) return
  const most = `at most ${String(LIMITS.tail_position_chars)} characters`
  throw invalidField('query', '/topics', `have a position that is too long; ${most}`)
}

function requireKnown(point: TailPoint, targets: readonly Target[]): void {
  if (point.kind !== 'position') return
  const known = new Set(targets.map(({ topic, partition }) => placeOf(topic.name, partition)))
  for (const place of point.offsets.keys()) {
    if (known.has(place)) continue
    throw new ProblemError(
      'unknown_topic_or_partition',
      `The position names ${place}, a partition that this tail does not have.`,
    )
  }
}

async function offsetAt(
  broker: FetchingBroker,
  target: BoundedTarget,
  point: TailPoint,
): Promise<number> {
  const { log_start_offset, high_watermark } = target
  switch (point.kind) {
    case 'earliest':
      return log_start_offset
    case 'latest':
      return high_watermark
    case 'last':
      return Math.max(high_watermark - point.records, log_start_offset)
    case 'timestamp':
      return (await offsetForTimestamp(broker, target, point.timestamp)).offset
    case 'position':
      // A partition that it does not name was added since: from its beginning.
      return namedOffset(target, point.offsets) ?? log_start_offset
  }
}

/** An offset below the log's start is let through: the tail itself tells the reader what is missing. */
function namedOffset(
  target: BoundedTarget,
  offsets: ReadonlyMap<string, number>,
): number | undefined {
  const place = placeOf(target.topic.name, target.partition)
  const offset = offsets.get(place)
  if (offset === undefined || offset <= target.high_watermark) return offset
  const detail =
    `The position names offset ${String(offset)} of ${place}, ` +
    `which ends before ${String(target.high_watermark)}.`
  throw outOfRange(detail, target)
}
