import { ProblemError, invalidField } from '../contract/problem-error.ts'
import type { PageQuery } from '../contract/paging.ts'
import type {
  CreateTopic,
  PatchTopic,
  Topic,
  TopicConfig,
  TopicSummary,
} from '../contract/topics.ts'
import type { Database } from '../store/database.ts'
import { partitionBounds } from '../store/fetch-batches.ts'
import type { StorePools } from '../store/pool.ts'
import * as store from '../store/topics.ts'
import { pageByName } from './page-by-name.ts'
import { told } from './told.ts'
import { maxRecordBytes, unknownTopic, type TopicDirectory } from './topic-directory.ts'

interface Broker {
  database: Database
  pools: StorePools
  topics: TopicDirectory
}

function summary(topic: store.TopicRow): TopicSummary {
  return {
    name: topic.name,
    partitions: topic.partitions,
    config: { max_record_bytes: maxRecordBytes(topic.config) },
    created_at: topic.created_at.toISOString(),
  }
}

async function withOffsets(broker: Broker, topic: store.TopicRow): Promise<Topic> {
  const bounds = await partitionBounds(broker.pools, topic.partition_ids)
  const offsets = bounds.map(({ partition_id, log_start_offset, high_watermark }) => ({
    partition: topic.partition_ids.indexOf(partition_id),
    log_start_offset,
    high_watermark,
  }))
  return { ...summary(topic), offsets }
}

export function createTopic(broker: Broker, input: CreateTopic): Promise<Topic> {
  return told(true, async () => {
    const topic = await store.createTopic(broker.database, input)
    if (!topic) {
      throw new ProblemError('topic_already_exists', `There is a topic ${input.name} already.`, {
        written: 'no',
      })
    }
    broker.topics.remember(topic)
    return withOffsets(broker, topic)
  })
}

/** A page of topics by name, and the name after which the next page begins. */
export function listTopics(
  broker: Broker,
  page: PageQuery,
): Promise<{ topics: TopicSummary[]; next_after: string | undefined }> {
  return told(false, async () => {
    const { rows, next_after } = await pageByName(page, (part) =>
      store.listTopics(broker.database, part),
    )
    return { topics: rows.map(summary), next_after }
  })
}

export function getTopic(broker: Broker, name: string): Promise<Topic> {
  return told(false, async () => {
    const topic = await store.getTopic(broker.database, name)
    if (!topic) throw unknownTopic(name)
    return withOffsets(broker, topic)
  })
}

export function patchTopic(broker: Broker, name: string, patch: PatchTopic): Promise<Topic> {
  return told(true, async () => {
    const topic = await store.changeTopic(broker.database, name, (current) => {
      const partitions = patch.partitions ?? current.partitions
      if (partitions < current.partitions) {
        throw invalidField(
          'body',
          '/partitions',
          `can only be raised; ${name} has ${String(current.partitions)}, and records stay where they are`,
        )
      }
      return { partitions, config: patchConfig(current.config, patch.config ?? {}) }
    })
    if (!topic) throw unknownTopic(name, 'no')
    broker.topics.remember(topic)
    return withOffsets(broker, topic)
  })
}

/** null restores a default; what is absent stays. */
function patchConfig(config: TopicConfig, patch: NonNullable<PatchTopic['config']>): TopicConfig {
  const merged = Object.entries({ ...config, ...patch }).filter(
    ([, value]) => value !== null && value !== undefined,
  )
  return Object.fromEntries(merged)
}

export function deleteTopic(broker: Broker, name: string): Promise<void> {
  return told(true, async () => {
    const topic = await store.deleteTopic(broker.database, name)
    broker.topics.forget(name)
    if (!topic) throw unknownTopic(name, 'no')
  })
}
