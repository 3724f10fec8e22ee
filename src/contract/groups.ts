import { z } from 'zod'
import { LIMITS } from './limits.ts'
import { asStep, GroupName, MemberId, Offset, Partition, TopicName } from './names.ts'
import { NextPage } from './paging.ts'
import { FetchedRecord } from './records.ts'

export const GenerationId = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).meta({
  id: 'GenerationId',
  description: 'Number of the group’s current assignment; every rebalance raises it.',
  example: 3,
})

/** A topic's name, or a prefix of names with an asterisk behind it. */
const Subscription = asStep(
  z
    .string()
    .regex(
      /^([A-Za-z0-9._-]{1,249}|[A-Za-z0-9._-]{0,248}\*)$/,
      'must be the name of a topic, or the beginning of names and *',
    ),
).meta({
  id: 'Subscription',
  description: 'A topic, or with `*` at its end all topics whose names begin so.',
})

const Subscriptions = z.array(Subscription).min(1).max(LIMITS.topics_per_member)

export const AutoOffsetReset = z.enum(['earliest', 'latest', 'error']).meta({
  id: 'AutoOffsetReset',
  description:
    'Where to begin where the group has no offset, or retention has removed what is at it; `error` fails instead.',
})

export const Assignor = z.enum(['cooperative_sticky', 'range', 'round_robin']).meta({
  id: 'Assignor',
  description: 'How partitions are shared out. All members of a group use the same.',
})
export type Assignor = z.infer<typeof Assignor>

/** Partitions of a member, by topic. */
export const Assignment = z
  .array(z.strictObject({ topic: TopicName, partitions: z.array(Partition) }))
  .meta({ id: 'Assignment' })
export type Assignment = z.infer<typeof Assignment>

export const GroupOffset = z
  .strictObject({ topic: TopicName, partition: Partition, offset: Offset })
  .meta({ id: 'GroupOffset', description: 'The next offset to read of a partition.' })
export type GroupOffset = z.infer<typeof GroupOffset>

export const SessionTimeout = z.number().int().min(1_000).max(LIMITS.session_ms)

export const JoinGroup = z
  .strictObject({
    topics: Subscriptions,
    member_id: MemberId.optional().meta({
      description: 'A name of your own: who joins under it again keeps its partitions.',
    }),
    auto_offset_reset: AutoOffsetReset.default('earliest'),
    session_timeout_ms: SessionTimeout.default(LIMITS.session_default_ms).meta({
      description:
        'Who neither polls nor beats for so long is gone, and its partitions go to others.',
    }),
    rebalance_timeout_ms: SessionTimeout.default(LIMITS.rebalance_default_ms).meta({
      description:
        'How long a partition that is to go to another member waits for records in hand to be committed.',
    }),
    assignor: Assignor.optional().meta({ description: 'Default `cooperative_sticky`.' }),
  })
  .meta({ id: 'JoinGroup' })
export type JoinGroup = z.output<typeof JoinGroup>

const Ack = z.string().max(LIMITS.ack_chars).meta({
  id: 'Ack',
  description: 'Names what was handed out; give it back to say that it arrived.',
  example: 'billing-1:8:3:17-42',
})

export const Membership = z
  .strictObject({
    group: GroupName,
    member_id: MemberId,
    generation_id: GenerationId,
    assignment: Assignment,
    session_timeout_ms: z.number().int(),
    ack: Ack.meta({
      description:
        'Nothing was handed out yet: for `received` of the first poll, whose answer might get lost.',
    }),
  })
  .meta({ id: 'Membership' })
export type Membership = z.infer<typeof Membership>

/** A record of a group: which partition it is of stands in front. */
export const GroupRecord = z
  .strictObject({ topic: TopicName, partition: Partition, ...FetchedRecord.shape })
  .meta({ id: 'GroupRecord' })

export const Truncation = z
  .strictObject({
    topic: TopicName,
    partition: Partition,
    offset: Offset.meta({ description: 'Where the group would have gone on.' }),
    resumed_at: Offset.meta({ description: 'Where it goes on instead.' }),
  })
  .meta({ id: 'Truncation', description: 'Retention removed records that the group had not read.' })
export type Truncation = z.infer<typeof Truncation>

const delivery = {
  group: GroupName,
  member_id: MemberId,
  generation_id: GenerationId,
  records: z.array(GroupRecord),
  ack: Ack,
  truncated: z.array(Truncation).optional(),
}

export const PollResponse = z
  .strictObject({
    ...delivery,
    positions: z
      .array(GroupOffset)
      .meta({ description: 'Behind these records, for each partition that had any.' }),
    assignment: Assignment.optional().meta({
      description: 'Where the caller did not name this generation: the partitions it has now.',
    }),
    revoked: Assignment.optional().meta({
      description:
        'Partitions that wait for the caller to commit what it holds, and then go to others.',
    }),
  })
  .meta({ id: 'PollResponse' })

export const NextRequest = z
  .strictObject({
    topics: Subscriptions,
    ack: Ack.nullable().optional().meta({
      description:
        'Of the previous answer: its records are done. Without one, or with null or an empty one, begins anew.',
    }),
    member_id: MemberId.optional().meta({
      description: 'A name of your own, for callers that come and go.',
    }),
    lease_ms: SessionTimeout.default(LIMITS.lease_default_ms).meta({
      description: 'The records are for others if the next call takes longer than this.',
    }),
    auto_offset_reset: AutoOffsetReset.default('earliest'),
    max_records: z.number().int().min(1).max(LIMITS.fetch_records).default(100),
    max_bytes: z.number().int().min(1).max(LIMITS.fetch_bytes).default(LIMITS.fetch_default_bytes),
    max_wait_ms: z.number().int().min(0).max(LIMITS.fetch_wait_ms).default(LIMITS.next_wait_ms),
  })
  .meta({ id: 'NextRequest' })
export type NextRequest = z.output<typeof NextRequest>

export const NextResponse = z
  .strictObject({ ...delivery, lease_ms: z.number().int() })
  .meta({ id: 'NextResponse' })

export const HeartbeatResponse = z
  .strictObject({
    generation_id: GenerationId,
    is_current: z
      .boolean()
      .meta({ description: 'False: poll, there is another assignment by now.' }),
  })
  .meta({ id: 'HeartbeatResponse' })

const Offsets = z.array(GroupOffset).min(1).max(LIMITS.offsets_per_commit)

export const CommitRequest = z
  .strictObject({
    member_id: MemberId.optional().meta({
      description: 'Absent: sets the offsets of a group that has no members.',
    }),
    generation_id: GenerationId.optional().meta({ description: 'Goes with `member_id`.' }),
    offsets: z.union([z.literal('delivered'), Offsets]).meta({
      description: 'Next offsets to read; or `delivered`: all that this member was given is done.',
    }),
  })
  .meta({ id: 'CommitRequest' })
export type CommitRequest = z.output<typeof CommitRequest>

export const CommitResponse = z
  .strictObject({ group: GroupName, offsets: z.array(GroupOffset) })
  .meta({ id: 'CommitResponse' })

const GroupState = z.enum(['empty', 'rebalancing', 'stable']).meta({
  id: 'GroupState',
  description:
    '`rebalancing`: some partition waits to go from one member to another; the others are read on.',
})

export const GroupSummary = z
  .strictObject({
    group: GroupName,
    state: GroupState,
    members: z.number().int().min(0),
    generation_id: GenerationId,
    assignor: Assignor,
    created_at: z.string().meta({ description: 'RFC 3339.' }),
  })
  .meta({ id: 'GroupSummary' })
export type GroupSummary = z.infer<typeof GroupSummary>

export const GroupPage = z
  .strictObject({ groups: z.array(GroupSummary), next: NextPage })
  .meta({ id: 'GroupPage' })

const GroupMember = z
  .strictObject({
    member_id: MemberId,
    client: z.string().meta({ description: 'Address it was last heard from.' }),
    topics: Subscriptions,
    session_timeout_ms: z.number().int(),
    joined_at: z.string(),
    seen_at: z.string(),
    assignment: Assignment,
  })
  .meta({ id: 'GroupMember' })

const Lag = z.number().int().min(0).meta({ description: 'Records between committed and the end.' })
const LagMs = z
  .number()
  .int()
  .min(0)
  .meta({ description: 'How long the first record that is not committed has been there.' })

const GroupPartition = z
  .strictObject({
    topic: TopicName,
    partition: Partition,
    member_id: MemberId.nullable(),
    goes_to: MemberId.optional().meta({
      description: 'Who gets it once all in hand is committed.',
    }),
    committed: Offset.nullable(),
    committed_at: z.string().nullable(),
    log_start_offset: Offset,
    high_watermark: Offset,
    lag: Lag,
    lag_ms: LagMs,
  })
  .meta({ id: 'GroupPartition' })

export const GroupDescription = z
  .strictObject({
    group: GroupName,
    state: GroupState,
    generation_id: GenerationId,
    assignor: Assignor,
    created_at: z.string(),
    lag: Lag,
    lag_ms: LagMs,
    members: z.array(GroupMember),
    partitions: z.array(GroupPartition),
  })
  .meta({ id: 'GroupDescription' })
export type GroupDescription = z.infer<typeof GroupDescription>

export const ResetRequest = z
  .strictObject({
    topic: TopicName,
    partitions: z.array(Partition).min(1).optional().meta({ description: 'Default: all.' }),
    to: z.union([
      z.enum(['earliest', 'latest']),
      z.strictObject({ offset: Offset }),
      z.strictObject({ timestamp: z.union([z.string(), z.number()]) }),
      z.strictObject({ shift: z.number().int() }),
    ]),
    dry_run: z.boolean().default(false),
  })
  .meta({ id: 'ResetRequest' })
export type ResetRequest = z.output<typeof ResetRequest>

export const ResetResponse = z
  .strictObject({
    group: GroupName,
    topic: TopicName,
    dry_run: z.boolean(),
    replayed: z.number().int().min(0),
    skipped: z.number().int().min(0),
    offsets: z.array(
      z.strictObject({
        partition: Partition,
        committed: Offset.nullable().meta({ description: 'Before.' }),
        offset: Offset.meta({ description: 'After.' }),
        replayed: z.number().int().min(0),
        skipped: z.number().int().min(0),
      }),
    ),
  })
  .meta({ id: 'ResetResponse' })
export type ResetResponse = z.infer<typeof ResetResponse>
