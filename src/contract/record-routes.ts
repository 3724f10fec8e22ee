import { z } from 'zod'
import { LIMITS } from './limits.ts'
import { Offset, Partition, TopicName } from './names.ts'
import {
  FetchedRecord,
  FetchResponse,
  FoundOffset,
  ProduceRequest,
  ProduceResponse,
} from './records.ts'
import { defineRoute } from './route.ts'

const TopicParams = z.strictObject({ topic: TopicName })
const PartitionParams = z.strictObject({ topic: TopicName, partition: Partition })
const RecordParams = z.strictObject({ topic: TopicName, partition: Partition, offset: Offset })

const IdempotencyHeaders = z.object({
  'idempotency-key': z.string().min(1).max(LIMITS.idempotency_key_chars).optional().meta({
    description:
      'Repeat a request with the same key and it is stored once: the first answer comes again, with `Idempotency-Replayed: true`. Kept 24 hours.',
    example: '7f2c9d4e-order-1001',
  }),
})

const From = z.string().max(40).meta({
  description: '`earliest`, `latest`, `-N` (the last N records), RFC 3339 or epoch milliseconds.',
  example: 'earliest',
})

const RecordLines = z.string().meta({ description: 'One ProduceRecord a line.' })
const ValueLines = z.string().meta({ description: 'One JSON value a line.' })
const records = [{ key: 'user-1', value: { amount: 12 } }]
const produced = { topic: 'orders', offsets: [{ partition: 0, base_offset: 41, record_count: 1 }] }
const fetched = { offset: 41, timestamp: 1795252974170, key: 'user-1', value: { amount: 12 } }
const NDJSON_EXAMPLE =
  '{"key":"user-1","value":{"amount":12}}\n{"key":"user-2","value":{"amount":7}}\n'

export const produceRecords = defineRoute({
  operation_id: 'produceRecords',
  method: 'POST',
  path: '/v1/topics/{topic}/records',
  tag: 'records',
  summary: 'Produce records',
  description:
    'All or nothing: the answer comes after the records are durable. With NDJSON, one record object a line.',
  operation: 'record.produce',
  params: TopicParams,
  query: z.strictObject({}),
  headers: IdempotencyHeaders,
  raw_body: {
    'application/json': { schema: ProduceRequest, example: { records } },
    'application/x-ndjson': { schema: RecordLines, example: NDJSON_EXAMPLE },
  },
  status: 200,
  response: ProduceResponse,
  writes: true,
  problems: [
    'idempotency_key_reused',
    'message_too_large',
    'offset_mismatch',
    'partition_busy',
    'queue_full',
    'request_too_large',
    'unknown_topic_or_partition',
    'unsupported_media_type',
  ],
  example: { params: { topic: 'orders' }, body: { records }, response: produced },
})

export const fetchRecords = defineRoute({
  operation_id: 'fetchRecords',
  method: 'GET',
  path: '/v1/topics/{topic}/partitions/{partition}/records',
  tag: 'records',
  summary: 'Fetch a page of records',
  description: [
    'From `offset`, or from a position named by `from`. With `max_wait_ms` it waits until `min_bytes` are there.',
    'A page holds at least one record if there is one, however large. As NDJSON the page is its records alone,',
    'and `Tailrace-Next-Offset`, `Tailrace-High-Watermark` and `Tailrace-Log-Start-Offset` say the rest.',
  ].join(' '),
  operation: 'record.fetch',
  params: PartitionParams,
  query: z.strictObject({
    offset: Offset.optional(),
    from: From.optional(),
    max_records: z
      .number()
      .int()
      .min(1)
      .max(LIMITS.fetch_records)
      .default(LIMITS.fetch_default_records),
    max_bytes: z.number().int().min(1).max(LIMITS.fetch_bytes).default(LIMITS.fetch_default_bytes),
    min_bytes: z.number().int().min(1).max(LIMITS.fetch_bytes).default(1),
    max_wait_ms: z.number().int().min(0).max(LIMITS.fetch_wait_ms).default(0),
  }),
  status: 200,
  response: FetchResponse,
  response_media: ['application/json', 'application/x-ndjson'],
  writes: false,
  problems: ['not_acceptable', 'offset_out_of_range', 'queue_full', 'unknown_topic_or_partition'],
  example: {
    params: { topic: 'orders', partition: 0 },
    response: {
      topic: 'orders',
      partition: 0,
      records: [fetched],
      next_offset: 42,
      high_watermark: 42,
      log_start_offset: 0,
    },
  },
})

export const fetchRecord = defineRoute({
  operation_id: 'fetchRecord',
  method: 'GET',
  path: '/v1/topics/{topic}/partitions/{partition}/records/{offset}',
  tag: 'records',
  summary: 'One record, or the bytes of its value',
  description: [
    'With `Accept: application/octet-stream` the answer is the value itself: bytes as they were sent, the text of a',
    'JSON string, or the JSON text of anything else. A null value answers 204.',
  ].join(' '),
  operation: 'record.fetch',
  params: RecordParams,
  query: z.strictObject({}),
  status: 200,
  response: FetchedRecord,
  response_media: ['application/json', 'application/octet-stream'],
  writes: false,
  problems: ['not_acceptable', 'offset_out_of_range', 'unknown_topic_or_partition'],
  example: { params: { topic: 'orders', partition: 0, offset: 41 }, response: fetched },
})

export const findOffset = defineRoute({
  operation_id: 'findOffset',
  method: 'GET',
  path: '/v1/topics/{topic}/partitions/{partition}/offsets',
  tag: 'records',
  summary: 'The first offset at or after a time',
  description:
    'The high watermark where no record is that young; also the bounds of the partition.',
  operation: 'record.fetch',
  params: PartitionParams,
  query: z.strictObject({
    timestamp: z.string().max(40).meta({
      description: 'RFC 3339 or epoch milliseconds.',
      example: '2026-11-21T09:00:00Z',
    }),
  }),
  status: 200,
  response: FoundOffset,
  writes: false,
  problems: ['unknown_topic_or_partition'],
  example: {
    params: { topic: 'orders', partition: 0 },
    response: {
      topic: 'orders',
      partition: 0,
      offset: 17,
      high_watermark: 42,
      log_start_offset: 0,
    },
  },
})

export const produceBody = defineRoute({
  operation_id: 'produceBody',
  method: 'POST',
  path: '/t/{topic}',
  tag: 'short door',
  summary: 'The body is the record',
  description: [
    'JSON is stored as that JSON; text, and what `curl -d` sends, as a string (an object or array sent by `curl -d` as',
    'JSON); anything else as bytes. `application/x-ndjson` is one JSON value a line, `split=lines` one text a line.',
  ].join(' '),
  operation: 'record.produce',
  params: TopicParams,
  query: z.strictObject({
    key: z.string().optional(),
    partition: Partition.optional(),
    split: z.literal('lines').optional(),
  }),
  headers: IdempotencyHeaders,
  raw_body: {
    'text/plain': { schema: z.string(), example: 'hello' },
    'application/json': { schema: z.json(), example: { amount: 12 } },
    'application/x-ndjson': { schema: ValueLines, example: '{"amount":12}\n{"amount":7}\n' },
    'application/octet-stream': { schema: z.string().meta({ format: 'binary' }), example: '' },
  },
  status: 200,
  response: ProduceResponse,
  writes: true,
  problems: produceRecords.problems,
  example: { params: { topic: 'orders' }, response: produced },
})
