import { z } from 'zod'
import { LIMITS } from './limits.ts'
import { Offset, Partition, TopicName } from './names.ts'
import { FetchedRecord } from './records.ts'

/** What travels on a live tail, in each of its three forms. The routes are in `tail-routes.ts`. */

const POSITION =
  /^(?:[A-Za-z0-9._-]{1,249}\/)?\d{1,3}:\d{1,16}(?:,(?:[A-Za-z0-9._-]{1,249}\/)?\d{1,3}:\d{1,16})*$/

/**
 * Where a tail is: the next offset of each partition it reads. Meant to be given back as it came, in `from` or
 * `Last-Event-ID`; a partition it does not name, because it was added since, is read from its beginning.
 */
export const TailPosition = z.string().max(LIMITS.tail_position_chars).regex(POSITION).meta({
  id: 'TailPosition',
  description:
    'The next offset of each partition, `partition:offset`, with commas between; on a tail of several topics `topic/partition:offset`.',
  example: '0:42,1:7',
})

/** A record on a tail. `topic` stands only on tails of several topics. */
export const TailedRecord = FetchedRecord.extend({
  topic: TopicName.optional(),
  partition: Partition,
}).meta({ id: 'TailedRecord' })
export type TailedRecord = z.infer<typeof TailedRecord>

const position = TailPosition.or(z.literal('')).meta({
  description:
    'Where to go on, as `from` or `Last-Event-ID`; empty where the tail did not even begin.',
})

/** The first message, so that a reader knows where it is before there is a record. */
const Begin = z
  .strictObject({
    type: z.literal('begin'),
    position,
    until: TailPosition.optional().meta({
      description: 'Where the tail ends; give it back as `until` when reconnecting.',
    }),
  })
  .meta({ id: 'Begin', description: 'The first message: where the tail begins.' })

/** All records up to the end of the log have been sent; what follows is live. */
const UpToDate = z
  .strictObject({ type: z.literal('up_to_date'), position })
  .meta({ id: 'UpToDate', description: 'Everything there is has been sent; from here it is live.' })

/** Nothing to send for a while; also how a client knows that the connection lives. */
const Heartbeat = z
  .strictObject({ type: z.literal('heartbeat'), position })
  .meta({ id: 'Heartbeat', description: 'Sent when nothing else was for 15 seconds.' })

/** Retention removed records before this reader had them. */
const Truncated = z
  .strictObject({
    type: z.literal('truncated'),
    topic: TopicName,
    partition: Partition,
    offset: Offset.meta({ description: 'The first record that was not delivered.' }),
    log_start_offset: Offset.meta({ description: 'The first record that is still kept.' }),
    position,
  })
  .meta({
    id: 'Truncated',
    description: 'Retention removed records before they could be sent: those from `offset` on.',
  })

/** A topic of this tail was deleted; the others go on. */
const TopicDeleted = z
  .strictObject({ type: z.literal('topic_deleted'), topic: TopicName, position })
  .meta({ id: 'TopicDeleted', description: 'The topic is gone; the tail goes on with the others.' })

/** The last message: this server stops; any other one can go on from here. */
const Draining = z
  .strictObject({ type: z.literal('draining'), position })
  .meta({ id: 'Draining', description: 'The last message: this server stops. Reconnect.' })

/** The last message: the tail is complete. */
const End = z
  .strictObject({
    type: z.literal('end'),
    reason: z.enum(['max_records', 'until', 'topic_deleted', 'truncated']),
    position,
  })
  .meta({ id: 'End', description: 'The last message: the tail has what it was asked for.' })

/** What a message has of a problem object (RFC 9457); some problems have more. */
export const problemFields = {
  code: z.string(),
  status: z.number().int(),
  title: z.string(),
  detail: z.string(),
  hint: z.string(),
  retriable: z.boolean(),
}

/** The last message: a problem, with the position reached. */
const Failed = z
  .looseObject({ type: z.literal('problem'), ...problemFields, position })
  .meta({ id: 'Failed', description: 'The last message: why the tail cannot go on.' })

/** Everything on a tail that is not a record. */
export const TailControl = z
  .discriminatedUnion('type', [
    Begin,
    UpToDate,
    Heartbeat,
    Truncated,
    TopicDeleted,
    Draining,
    End,
    Failed,
  ])
  .meta({ id: 'TailControl' })
export type TailControl = z.infer<typeof TailControl>

/** On a WebSocket records come several to a message. */
export const TailRecords = z
  .strictObject({
    type: z.literal('records'),
    records: z.array(TailedRecord).min(1),
    position,
  })
  .meta({ id: 'TailRecords', description: 'Records of one partition, in order.' })
export type TailRecords = z.infer<typeof TailRecords>

/** As good as no bound. */
const MOST_CREDIT = 1_000_000_000

/** What a reader on a WebSocket allows from the beginning. */
export const FirstCredit = z.number().int().min(0).max(MOST_CREDIT).optional()

const Credit = z
  .strictObject({ type: z.literal('credit'), records: z.number().int().min(1).max(MOST_CREDIT) })
  .meta({
    id: 'Credit',
    description:
      'Send this many records more. Before the first one, unless the tail began with `credit`, there is no bound.',
  })
const Pause = z
  .strictObject({ type: z.literal('pause') })
  .meta({ id: 'Pause', description: 'Send no records until `resume`.' })
const Resume = z
  .strictObject({ type: z.literal('resume') })
  .meta({ id: 'Resume', description: 'Go on after `pause`.' })

/** What a WebSocket client may say. */
export const TailCommand = z
  .discriminatedUnion('type', [Credit, Pause, Resume])
  .meta({ id: 'TailCommand' })
export type TailCommand = z.infer<typeof TailCommand>
