import { z } from 'zod'
import {
  Assignment,
  AutoOffsetReset,
  GenerationId,
  GroupOffset,
  GroupRecord,
  SessionTimeout,
  Truncation,
} from './groups.ts'
import { LIMITS } from './limits.ts'
import { GroupName, MemberId, Offset, Partition, TopicName } from './names.ts'
import { defineRoute } from './route.ts'
import { FirstCredit, problemFields, TailCommand } from './tails.ts'

/** A member of a group on a WebSocket: the connection is the member. */

const Joined = z
  .strictObject({
    type: z.literal('joined'),
    group: GroupName,
    member_id: MemberId,
    generation_id: GenerationId,
    assignment: Assignment,
  })
  .meta({ id: 'GroupJoined', description: 'The first message: who you are, and what you read.' })

const Assigned = z
  .strictObject({
    type: z.literal('assigned'),
    generation_id: GenerationId,
    assignment: Assignment,
    revoked: Assignment.optional().meta({
      description: 'Partitions that wait for you to commit what you hold, and then go to others.',
    }),
  })
  .meta({ id: 'GroupAssigned', description: 'A rebalance: what you read from here on.' })

const Records = z
  .strictObject({
    type: z.literal('records'),
    generation_id: GenerationId,
    records: z.array(GroupRecord).min(1),
    positions: z.array(GroupOffset).meta({ description: 'Behind these records, to be committed.' }),
  })
  .meta({ id: 'GroupRecords', description: 'Records of your partitions.' })

const Cut = z
  .strictObject({ type: z.literal('truncated'), truncated: z.array(Truncation).min(1) })
  .meta({
    id: 'GroupTruncated',
    description: 'Retention removed records that the group had not read.',
  })

const Committed = z
  .strictObject({ type: z.literal('committed'), offsets: z.array(GroupOffset) })
  .meta({ id: 'GroupCommitted', description: 'These offsets are durable.' })

const Refused = z
  .looseObject({ type: z.literal('refused'), ...problemFields })
  .meta({ id: 'GroupRefused', description: 'A command changed nothing; the connection goes on.' })

const Beat = z
  .strictObject({ type: z.literal('heartbeat') })
  .meta({ id: 'GroupHeartbeat', description: 'Sent when nothing else was for 15 seconds.' })

const Draining = z
  .strictObject({ type: z.literal('draining') })
  .meta({ id: 'GroupDraining', description: 'The last message: this server stops. Reconnect.' })

const Failed = z
  .looseObject({ type: z.literal('problem'), ...problemFields })
  .meta({ id: 'GroupFailed', description: 'The last message: why it cannot go on.' })

/** What a server sends to a member. */
export const GroupMessage = z.discriminatedUnion('type', [
  Joined,
  Assigned,
  Records,
  Cut,
  Committed,
  Refused,
  Beat,
  Draining,
  Failed,
])
export type GroupMessage = z.infer<typeof GroupMessage>

const Commit = z
  .strictObject({
    type: z.literal('commit'),
    offsets: z.union([
      z.literal('delivered'),
      z.array(GroupOffset).min(1).max(LIMITS.offsets_per_command),
    ]),
  })
  .meta({ id: 'GroupCommit', description: 'Done up to these offsets, or with all that was sent.' })

const Seek = z
  .strictObject({
    type: z.literal('seek'),
    topic: TopicName,
    partition: Partition,
    offset: Offset,
  })
  .meta({ id: 'GroupSeek', description: 'Read a partition of yours from there on.' })

/** What a member may say. */
export const GroupCommand = z.discriminatedUnion('type', [Commit, Seek, ...TailCommand.options])
export type GroupCommand = z.infer<typeof GroupCommand>

const TOPICS = /^[A-Za-z0-9._-]{0,249}\*?(,[A-Za-z0-9._-]{0,249}\*?)*$/

export const groupTail = defineRoute({
  operation_id: 'groupTail',
  method: 'GET',
  path: '/v1/groups/{group}/tail',
  tag: 'groups',
  summary: 'Be a member on a WebSocket',
  operation: 'group.read',
  params: z.strictObject({ group: GroupName }),
  query: z.strictObject({
    topics: z
      .string()
      .max(4_000)
      .regex(TOPICS, 'must be names or prefixes* with commas between')
      .meta({
        description: 'Names and prefixes, e.g. `payments,orders.*`.',
      }),
    member_id: MemberId.optional().meta({
      description:
        'A name of your own: who reconnects under it within the session keeps its partitions.',
    }),
    auto_offset_reset: AutoOffsetReset.default('earliest'),
    session_timeout_ms: SessionTimeout.default(LIMITS.session_default_ms),
    credit: FirstCredit.meta({
      description: 'Send no more records than this until `credit` messages allow more.',
    }),
  }),
  status: 200,
  response: z.void(),
  streams: true,
  writes: true,
  problems: [],
  example: { response: undefined },
})
