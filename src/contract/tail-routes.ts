import { z } from 'zod'
import { LIMITS } from './limits.ts'
import { TopicName } from './names.ts'
import { defineRoute } from './route.ts'
import { FirstCredit, TailPosition } from './tails.ts'

const TopicParams = z.strictObject({ topic: TopicName })

const From = z.string().max(LIMITS.tail_position_chars).meta({
  description:
    '`earliest`, `latest`, `-N` (the last N records of each partition), RFC 3339, epoch milliseconds, or a position.',
  example: 'latest',
})

const PARTITIONS = /^\d{1,3}(,\d{1,3})*$/

/** How a tail begins, filters and ends; the same in all its forms. */
const tailOptions = {
  from: From.optional(),
  key: z
    .string()
    .max(LIMITS.tail_key_chars)
    .optional()
    .meta({ description: 'Only records with this key.' }),
  max_records: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional().meta({
    description: 'End after this many records.',
  }),
  until: z.string().max(LIMITS.tail_position_chars).optional().meta({
    description:
      '`latest` ends where the log ends now; a position, RFC 3339 or epoch milliseconds end there.',
    example: 'latest',
  }),
  on_truncated: z.enum(['continue', 'end']).default('continue').meta({
    description: 'What to do where retention has removed records that were not sent yet.',
  }),
  credit: FirstCredit.meta({
    description:
      'WebSocket only: send no more records than this until `credit` messages allow more.',
  }),
}
const partitions = z
  .string()
  .max(4000)
  .regex(PARTITIONS, 'must be numbers with commas between')
  .optional()
  .meta({
    description: 'Only these partitions, e.g. `0,2`.',
  })

const TailHeaders = z.object({
  'last-event-id': TailPosition.optional().meta({
    description: 'Where to go on; `EventSource` sends it by itself. Counts more than `from`.',
  }),
})

const FORMS = [
  'As NDJSON, the default, a line is a record or, where it has a `type`, a control message.',
  'With `Accept: text/event-stream` an event is a record, its `id` the position behind it; control messages are',
  'events of their type. A WebSocket gets messages as asyncapi.yaml describes them.',
].join(' ')

const LINE =
  '{"partition":0,"offset":41,"timestamp":1795252974170,"key":"user-1","value":{"amount":12}}\n'
const RESPONSE = z.string().meta({ description: 'TailedRecord and TailControl, one a line.' })
const MEDIA = ['application/x-ndjson', 'text/event-stream']

export const tailTopic = defineRoute({
  operation_id: 'tailTopic',
  method: 'GET',
  path: '/v1/topics/{topic}/tail',
  tag: 'tails',
  summary: 'Follow a topic live',
  description: `History from \`from\` on (default \`latest\`), then what is produced. ${FORMS}`,
  operation: 'record.fetch',
  params: TopicParams,
  query: z.strictObject({ ...tailOptions, partitions }),
  headers: TailHeaders,
  status: 200,
  response: RESPONSE,
  response_media: MEDIA,
  streams: true,
  writes: false,
  problems: ['not_acceptable', 'offset_out_of_range', 'queue_full', 'unknown_topic_or_partition'],
  example: {
    params: { topic: 'orders' },
    response: `${LINE}{"type":"up_to_date","position":"0:42"}\n`,
  },
})

export const tailTopics = defineRoute({
  operation_id: 'tailTopics',
  method: 'GET',
  path: '/v1/tail',
  tag: 'tails',
  summary: 'Follow several topics on one connection',
  description: `Each record says its \`topic\`. ${FORMS}`,
  operation: 'record.fetch',
  params: z.strictObject({}),
  query: z.strictObject({
    topics: z
      .string()
      .min(1)
      .max(LIMITS.tail_position_chars)
      .meta({
        description: `Names with commas between; at most ${String(LIMITS.topics_per_tail)}.`,
        example: 'orders,payments',
      }),
    ...tailOptions,
  }),
  headers: TailHeaders,
  status: 200,
  response: RESPONSE,
  response_media: MEDIA,
  streams: true,
  writes: false,
  problems: tailTopic.problems,
  example: {
    response: `${LINE.replace('{', '{"topic":"orders",')}{"type":"up_to_date","position":"orders/0:42,payments/0:7"}\n`,
  },
})

export const readTopic = defineRoute({
  operation_id: 'readTopic',
  method: 'GET',
  path: '/t/{topic}',
  tag: 'short door',
  summary: 'A topic from its beginning, then live, as NDJSON',
  description: [
    'The tail for people: from the beginning unless `from` says otherwise, and without the control messages that',
    'only programs need. `until=latest` ends where the log ends now.',
  ].join(' '),
  operation: 'record.fetch',
  params: TopicParams,
  query: tailTopic.query,
  status: 200,
  response: RESPONSE,
  response_media: ['application/x-ndjson'],
  streams: true,
  writes: false,
  problems: tailTopic.problems,
  example: { params: { topic: 'orders' }, response: LINE },
})
