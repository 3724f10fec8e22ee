import { z } from 'zod'
import {
  CommitRequest,
  CommitResponse,
  GenerationId,
  GroupDescription,
  GroupPage,
  HeartbeatResponse,
  JoinGroup,
  Membership,
  NextRequest,
  NextResponse,
  PollResponse,
  ResetRequest,
  ResetResponse,
} from './groups.ts'
import { LIMITS } from './limits.ts'
import { GroupName, MemberId } from './names.ts'
import { PageQuery } from './paging.ts'
import { defineRoute } from './route.ts'

const GroupParams = z.strictObject({ group: GroupName })
const MemberParams = z.strictObject({ group: GroupName, member_id: MemberId })
const NoQuery = z.strictObject({})
const group = 'billing'
const member_id = 'billing-1'
const assignment = [{ topic: 'orders', partitions: [0, 1] }]
const offsets = [{ topic: 'orders', partition: 0, offset: 42 }]
const records = [
  { topic: 'orders', partition: 0, offset: 41, timestamp: 1795252974170, value: { amount: 12 } },
]
const ack = 'billing-1:8:3:17-42'
const summary = {
  group,
  state: 'stable' as const,
  members: 1,
  generation_id: 3,
  assignor: 'cooperative_sticky' as const,
  created_at: '2026-11-21T09:22:54.170Z',
}

export const joinGroup = defineRoute({
  operation_id: 'joinGroup',
  method: 'POST',
  path: '/v1/groups/{group}/members',
  tag: 'groups',
  summary: 'Join a group',
  description:
    'Creates the group if need be. The answer holds the partitions to read; others hand theirs over as they commit.',
  operation: 'group.read',
  params: GroupParams,
  query: NoQuery,
  body: JoinGroup,
  status: 201,
  response: Membership,
  writes: true,
  problems: ['unknown_topic_or_partition', 'inconsistent_group_protocol', 'group_max_size_reached'],
  example: {
    params: { group },
    body: { topics: ['orders'] },
    response: {
      group,
      member_id,
      generation_id: 3,
      assignment,
      session_timeout_ms: 45_000,
      ack: 'billing-1:8:3:',
    },
  },
})

const generation = {
  generation_id: GenerationId.optional().meta({
    description: 'That of the caller’s last answer; one older than its joining is refused.',
  }),
}

export const pollGroup = defineRoute({
  operation_id: 'pollGroup',
  method: 'GET',
  path: '/v1/groups/{group}/members/{member_id}/records',
  tag: 'groups',
  summary: 'Poll for records',
  description:
    'At once where there are any, else as soon as there are, or after `max_wait_ms`. Counts as a heartbeat.',
  operation: 'group.read',
  params: MemberParams,
  query: z.strictObject({
    ...generation,
    commit: z.enum(['previous', 'none']).default('none').meta({
      description:
        '`previous`: the records of the last answer are done. With `received` a lost answer does no harm.',
    }),
    received: z.string().max(LIMITS.ack_chars).optional().meta({
      description:
        'The `ack` of the last answer that arrived: what was handed out behind it and got lost comes again.',
    }),
    max_records: z
      .number()
      .int()
      .min(1)
      .max(LIMITS.fetch_records)
      .default(LIMITS.fetch_default_records),
    max_bytes: z.number().int().min(1).max(LIMITS.fetch_bytes).default(LIMITS.fetch_default_bytes),
    max_wait_ms: z.number().int().min(0).max(LIMITS.fetch_wait_ms).default(0),
  }),
  status: 200,
  response: PollResponse,
  writes: true,
  problems: ['unknown_member_id', 'illegal_generation', 'offset_out_of_range'],
  example: {
    params: { group, member_id },
    response: {
      group,
      member_id,
      generation_id: 3,
      records,
      ack,
      positions: offsets,
      assignment,
    },
  },
})

export const heartbeatGroup = defineRoute({
  operation_id: 'heartbeatGroup',
  method: 'POST',
  path: '/v1/groups/{group}/members/{member_id}/heartbeat',
  tag: 'groups',
  summary: 'Say that a member lives',
  description: 'For work that takes longer than the session between two polls.',
  operation: 'group.read',
  params: MemberParams,
  query: z.strictObject(generation),
  status: 200,
  response: HeartbeatResponse,
  writes: true,
  problems: ['unknown_member_id', 'illegal_generation'],
  example: {
    params: { group, member_id },
    response: { generation_id: 3, is_current: true },
  },
})

export const leaveGroup = defineRoute({
  operation_id: 'leaveGroup',
  method: 'DELETE',
  path: '/v1/groups/{group}/members/{member_id}',
  tag: 'groups',
  summary: 'Leave a group',
  description: 'Its partitions go to others at once; what it has not committed is read again.',
  operation: 'group.read',
  params: MemberParams,
  query: z.strictObject(generation),
  status: 204,
  response: z.void(),
  writes: true,
  problems: ['unknown_member_id', 'illegal_generation'],
  example: { params: { group, member_id }, response: undefined },
})

export const commitOffsets = defineRoute({
  operation_id: 'commitOffsets',
  method: 'POST',
  path: '/v1/groups/{group}/offsets',
  tag: 'groups',
  summary: 'Commit offsets',
  description:
    'All or nothing, and durable when answered. An offset lower than what is committed already changes nothing.',
  operation: 'group.read',
  params: GroupParams,
  query: NoQuery,
  body: CommitRequest,
  status: 200,
  response: CommitResponse,
  writes: true,
  problems: [
    'illegal_generation',
    'non_empty_group',
    'offset_out_of_range',
    'unknown_group',
    'unknown_topic_or_partition',
  ],
  example: {
    params: { group },
    body: { member_id, generation_id: 3, offsets },
    response: { group, offsets },
  },
})

export const nextRecords = defineRoute({
  operation_id: 'nextRecords',
  method: 'POST',
  path: '/v1/groups/{group}/next',
  tag: 'groups',
  summary: 'The next records, in one call',
  description:
    'Joins by itself. Send the `ack` of each answer with the next call: it commits those records and brings more.',
  operation: 'group.read',
  params: GroupParams,
  query: NoQuery,
  body: NextRequest,
  status: 200,
  response: NextResponse,
  writes: true,
  problems: [
    'illegal_generation',
    'inconsistent_group_protocol',
    'group_max_size_reached',
    'offset_out_of_range',
    'unknown_topic_or_partition',
  ],
  example: {
    params: { group },
    body: { topics: ['orders'], ack: null },
    response: { group, member_id, generation_id: 3, records, ack, lease_ms: 30_000 },
  },
})

export const listGroups = defineRoute({
  operation_id: 'listGroups',
  method: 'GET',
  path: '/v1/groups',
  tag: 'groups',
  summary: 'List groups by name',
  description: 'Follow `next` (also in the `Link` header) until it is null.',
  operation: 'group.list',
  params: z.strictObject({}),
  query: PageQuery,
  status: 200,
  response: GroupPage,
  writes: false,
  problems: [],
  example: { response: { groups: [summary], next: null } },
})

export const getGroup = defineRoute({
  operation_id: 'getGroup',
  method: 'GET',
  path: '/v1/groups/{group}',
  tag: 'groups',
  summary: 'A group: its members, who reads what, and how far it lags',
  operation: 'group.get',
  params: GroupParams,
  query: NoQuery,
  status: 200,
  response: GroupDescription,
  writes: false,
  problems: ['unknown_group'],
  example: {
    params: { group },
    response: {
      group,
      state: 'stable',
      generation_id: 3,
      assignor: 'cooperative_sticky',
      created_at: summary.created_at,
      lag: 0,
      lag_ms: 0,
      members: [
        {
          member_id,
          client: '192.0.2.7',
          topics: ['orders'],
          session_timeout_ms: 45_000,
          joined_at: summary.created_at,
          seen_at: summary.created_at,
          assignment: [{ topic: 'orders', partitions: [0] }],
        },
      ],
      partitions: [
        {
          topic: 'orders',
          partition: 0,
          member_id,
          committed: 42,
          committed_at: summary.created_at,
          log_start_offset: 0,
          high_watermark: 42,
          lag: 0,
          lag_ms: 0,
        },
      ],
    },
  },
})

export const deleteGroup = defineRoute({
  operation_id: 'deleteGroup',
  method: 'DELETE',
  path: '/v1/groups/{group}',
  tag: 'groups',
  summary: 'Delete a group and its offsets',
  description: 'Only where no member is left.',
  operation: 'group.delete',
  params: GroupParams,
  query: NoQuery,
  status: 204,
  response: z.void(),
  writes: true,
  problems: ['non_empty_group', 'unknown_group'],
  example: { params: { group }, response: undefined },
})

export const resetGroup = defineRoute({
  operation_id: 'resetGroup',
  method: 'POST',
  path: '/v1/groups/{group}/reset',
  tag: 'groups',
  summary: 'Read again, or skip',
  description:
    'Members that are reading go on from there with their next poll; what they hold can no longer be committed.',
  operation: 'group.reset',
  params: GroupParams,
  query: NoQuery,
  body: ResetRequest,
  status: 200,
  response: ResetResponse,
  writes: true,
  problems: ['offset_out_of_range', 'unknown_group', 'unknown_topic_or_partition'],
  example: {
    params: { group },
    body: { topic: 'orders', to: 'earliest', dry_run: true },
    response: {
      group,
      topic: 'orders',
      dry_run: true,
      replayed: 42,
      skipped: 0,
      offsets: [{ partition: 0, committed: 42, offset: 0, replayed: 42, skipped: 0 }],
    },
  },
})
