import type { ProblemError } from '../contract/problem-error.ts'
import { partitionBounds } from '../store/fetch-batches.ts'
import type { StorePools } from '../store/pool.ts'
import type { TopicRow } from '../store/topics.ts'
import { unknownPartition, unknownTopic, type TopicDirectory } from './topic-directory.ts'

/** A partition that a call is about. `written` says of each problem below what a call that writes has done. */
export interface Target {
  topic: TopicRow
  partition: number
  partition_id: number
}

/** With where its log begins, and the offset after its last record. */
export interface BoundedTarget extends Target {
  log_start_offset: number
  high_watermark: number
}

/** A problem where the topic has no such partition. */
export function targetOf(topic: TopicRow, partition: number, written?: 'no'): Target {
  const partition_id = topic.partition_ids[partition]
  if (partition_id === undefined) throw unknownPartition(topic, partition, written)
  return { topic, partition, partition_id }
}

/** All partitions of the topic, unless some are named. */
export function targetsOf(
  topic: TopicRow,
  partitions: readonly number[] | undefined,
  written?: 'no',
): Target[] {
  const wanted = partitions ?? topic.partition_ids.map((_, partition) => partition)
  return wanted.map((partition) => targetOf(topic, partition, written))
}

/** Looks up the bounds of all of them; a problem where one is gone. */
export async function withBounds(
  { pools, topics }: { pools: StorePools; topics: TopicDirectory },
  targets: readonly Target[],
  written?: 'no',
): Promise<BoundedTarget[]> {
  const ids = targets.map(({ partition_id }) => partition_id)
  const found = await partitionBounds(pools, ids)
  const byId = new Map(found.map((bounds) => [bounds.partition_id, bounds]))
  return targets.map((target) => {
    const bounds = byId.get(target.partition_id)
    if (!bounds) throw gone(topics, target, written)
    return { ...target, ...bounds }
  })
}

/** Its topic was deleted, and this node has not known. */
export function gone(topics: TopicDirectory, { topic }: Target, written?: 'no'): ProblemError {
  topics.forget(topic.name)
  return unknownTopic(topic.name, written)
}
