import { z } from 'zod'
import { LIMITS } from './limits.ts'
import { Offset, Partition, TopicName } from './names.ts'
import { NextPage, PageQuery } from './paging.ts'
import { defineRoute } from './route.ts'

/** A topic's settings. Absent means the default. */
export const TopicConfig = z
  .strictObject({
    max_record_bytes: z
      .number()
      .int()
      .min(1)
      .max(LIMITS.max_record_bytes)
      .optional()
      .meta({ description: 'Largest record, as its stored JSON line, in bytes. Default 1048576.' }),
  })
  .meta({ id: 'TopicConfig' })
export type TopicConfig = z.infer<typeof TopicConfig>

const PartitionCount = z.number().int().min(1).max(LIMITS.partitions_per_topic)

export const CreateTopic = z
  .strictObject({
    name: TopicName,
    partitions: PartitionCount.default(1),
    config: TopicConfig.default({}),
  })
  .meta({ id: 'CreateTopic' })
export type CreateTopic = z.output<typeof CreateTopic>

export const PatchTopic = z
  .strictObject({
    partitions: PartitionCount.optional().meta({ description: 'May be raised, never lowered.' }),
    config: z
      .strictObject({ max_record_bytes: TopicConfig.shape.max_record_bytes.nullable() })
      .partial()
      .optional()
      .meta({ description: 'Settings to change; null restores a default, what is absent stays.' }),
  })
  .meta({ id: 'PatchTopic' })
export type PatchTopic = z.output<typeof PatchTopic>

const PartitionOffsets = z
  .strictObject({ partition: Partition, log_start_offset: Offset, high_watermark: Offset })
  .meta({ id: 'PartitionOffsets' })

export const TopicSummary = z
  .strictObject({
    name: TopicName,
    partitions: PartitionCount,
    config: z.strictObject({ max_record_bytes: z.number().int() }),
    created_at: z.string().meta({ description: 'RFC 3339.' }),
  })
  .meta({ id: 'TopicSummary' })
export type TopicSummary = z.infer<typeof TopicSummary>

export const Topic = TopicSummary.extend({ offsets: z.array(PartitionOffsets) }).meta({
  id: 'Topic',
})
export type Topic = z.infer<typeof Topic>

const TopicPage = z
  .strictObject({ topics: z.array(TopicSummary), next: NextPage })
  .meta({ id: 'TopicPage' })

const TopicParams = z.strictObject({ topic: TopicName })
const NoQuery = z.strictObject({})

const ordersSummary = {
  name: 'orders',
  partitions: 1,
  config: { max_record_bytes: 1048576 },
  created_at: '2026-11-21T09:22:54.170Z',
}
const orders = {
  ...ordersSummary,
  offsets: [{ partition: 0, log_start_offset: 0, high_watermark: 42 }],
}

export const createTopic = defineRoute({
  operation_id: 'createTopic',
  method: 'POST',
  path: '/v1/topics',
  tag: 'topics',
  summary: 'Create a topic',
  operation: 'topic.create',
  params: z.strictObject({}),
  query: NoQuery,
  body: CreateTopic,
  status: 201,
  response: Topic,
  writes: true,
  problems: ['topic_already_exists'],
  example: { body: { name: 'orders', partitions: 1 }, response: orders },
})

export const listTopics = defineRoute({
  operation_id: 'listTopics',
  method: 'GET',
  path: '/v1/topics',
  tag: 'topics',
  summary: 'List topics by name',
  description: 'Follow `next` (also in the `Link` header) until it is null.',
  operation: 'topic.list',
  params: z.strictObject({}),
  query: PageQuery,
  status: 200,
  response: TopicPage,
  writes: false,
  problems: [],
  example: { response: { topics: [ordersSummary], next: null } },
})

export const getTopic = defineRoute({
  operation_id: 'getTopic',
  method: 'GET',
  path: '/v1/topics/{topic}',
  tag: 'topics',
  summary: 'One topic, with the offsets of each partition',
  operation: 'topic.get',
  params: TopicParams,
  query: NoQuery,
  status: 200,
  response: Topic,
  writes: false,
  problems: ['unknown_topic_or_partition'],
  example: { params: { topic: 'orders' }, response: orders },
})

export const patchTopic = defineRoute({
  operation_id: 'patchTopic',
  method: 'PATCH',
  path: '/v1/topics/{topic}',
  tag: 'topics',
  summary: 'Add partitions or change settings',
  description:
    'Records already stored stay where they are. After partitions were added, a key may hash to another one.',
  operation: 'topic.configure',
  params: TopicParams,
  query: NoQuery,
  body: PatchTopic,
  status: 200,
  response: Topic,
  writes: true,
  problems: ['unknown_topic_or_partition'],
  example: { params: { topic: 'orders' }, body: { partitions: 4 }, response: orders },
})

export const deleteTopic = defineRoute({
  operation_id: 'deleteTopic',
  method: 'DELETE',
  path: '/v1/topics/{topic}',
  tag: 'topics',
  summary: 'Delete a topic and its records',
  description: 'The topic is gone at once; its rows are removed in the background.',
  operation: 'topic.delete',
  params: TopicParams,
  query: NoQuery,
  status: 204,
  response: z.void(),
  writes: true,
  problems: ['unknown_topic_or_partition'],
  example: { params: { topic: 'orders' }, response: undefined },
})
