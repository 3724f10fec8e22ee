import { z } from 'zod'
import { LIMITS } from './limits.ts'
import { Offset, Partition, TimestampMs, TopicName } from './names.ts'

/** The shapes of records, in and out. The routes that carry them are in `record-routes.ts`. */

const Headers = z.record(z.string(), z.string()).meta({
  description: `At most ${String(LIMITS.headers_per_record)} names with string values.`,
  example: { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' },
})
const HeadersBase64 = z
  .record(z.string(), z.base64())
  .meta({ description: 'Headers whose values are bytes.' })
const Value = z.json().meta({
  id: 'Value',
  description:
    'Any JSON. Its text is kept: 12345678901234567890, 1e400 and the order of keys come back as sent.',
  example: { amount: 12 },
})

/** One record of a produce request. Exactly one of `value` and `value_base64`; at most one key. */
const ProduceRecord = z
  .strictObject({
    key: z
      .string()
      .nullable()
      .optional()
      .meta({ description: 'Records of one key share a partition.' }),
    key_base64: z.base64().optional(),
    value: Value.optional(),
    value_base64: z.base64().optional(),
    headers: Headers.optional(),
    headers_base64: HeadersBase64.optional(),
    timestamp: z
      .union([TimestampMs, z.iso.datetime({ offset: true })])
      .optional()
      .meta({ description: 'Epoch milliseconds or RFC 3339; default: when the record is stored.' }),
    partition: Partition.optional().meta({
      description: 'Instead of the partition its key hashes to.',
    }),
  })
  .meta({ id: 'ProduceRecord' })

export const ExpectedOffset = z.strictObject({ partition: Partition, offset: Offset }).meta({
  id: 'ExpectedOffset',
  description: 'Store only if the high watermark of this partition is still this offset.',
})
export type ExpectedOffset = z.infer<typeof ExpectedOffset>
export const ExpectedOffsets = z.array(ExpectedOffset).max(LIMITS.partitions_per_topic)

export const ProduceRequest = z
  .strictObject({
    records: z.array(ProduceRecord).min(1).max(LIMITS.records_per_request),
    expected_offsets: ExpectedOffsets.optional(),
  })
  .meta({ id: 'ProduceRequest' })
export type ProduceRequest = z.input<typeof ProduceRequest>

export const ProduceResponse = z
  .strictObject({
    topic: TopicName,
    offsets: z.array(
      z.strictObject({
        partition: Partition,
        base_offset: Offset,
        record_count: z.number().int().min(1),
      }),
    ),
  })
  .meta({
    id: 'ProduceResponse',
    description:
      'Where the records are: those for one partition follow each other from base_offset, in the order sent.',
  })
export type ProduceResponse = z.infer<typeof ProduceResponse>

/** A record as fetched. What was not sent is absent, except `timestamp`. */
export const FetchedRecord = z
  .strictObject({
    offset: Offset,
    timestamp: TimestampMs,
    key: z.string().nullable().optional(),
    key_base64: z.base64().optional(),
    value: Value.optional(),
    value_base64: z.base64().optional(),
    headers: Headers.optional(),
    headers_base64: HeadersBase64.optional(),
  })
  .meta({ id: 'FetchedRecord' })
export type FetchedRecord = z.infer<typeof FetchedRecord>

export const FetchResponse = z
  .strictObject({
    topic: TopicName,
    partition: Partition,
    records: z.array(FetchedRecord),
    next_offset: Offset.meta({ description: 'Where the next fetch goes on.' }),
    high_watermark: Offset.meta({ description: 'Offset after the last record.' }),
    log_start_offset: Offset.meta({ description: 'First offset still kept.' }),
  })
  .meta({ id: 'FetchResponse' })
export type FetchResponse = z.infer<typeof FetchResponse>

export const FoundOffset = z
  .strictObject({
    topic: TopicName,
    partition: Partition,
    offset: Offset,
    high_watermark: Offset,
    log_start_offset: Offset,
  })
  .meta({ id: 'FoundOffset' })
