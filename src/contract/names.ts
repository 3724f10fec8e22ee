import { z } from 'zod'
import { LIMITS } from './limits.ts'

/** Text that is a step of a path: `.` and `..` would vanish from a URL. */
export function asStep(text: z.ZodString): z.ZodString {
  return text.refine((name) => name !== '.' && name !== '..', 'must not be . or ..')
}

/** Letters, digits, `.`, `_`, `-`. */
const Name = asStep(
  z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,249}$/, 'must be 1 to 249 of the characters A-Z a-z 0-9 . _ -'),
)

export const TopicName = Name.meta({
  id: 'TopicName',
  description: 'Name of a topic.',
  example: 'orders',
})
export type TopicName = z.infer<typeof TopicName>

export const GroupName = Name.meta({
  id: 'GroupName',
  description: 'Name of a consumer group.',
  example: 'billing',
})

/** A member's name within its group. */
export const MemberId = Name.meta({
  id: 'MemberId',
  description: 'One process that reads for a group.',
  example: 'billing-1',
})

/** A partition's number within its topic, from 0. */
export const Partition = z
  .number()
  .int()
  .min(0)
  .max(LIMITS.partitions_per_topic - 1)
  .meta({ id: 'Partition', description: 'Number of a partition in its topic, from 0.', example: 0 })

/** Position of a record in its partition. A JSON number: offsets end at 2^53 - 1. */
export const Offset = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).meta({
  id: 'Offset',
  description: 'Position of a record in its partition, from 0.',
  example: 41,
})

/** Milliseconds since 1970-01-01T00:00:00Z; up to the last instant a JavaScript Date can name. */
export const TimestampMs = z.number().int().min(0).max(8_640_000_000_000_000).meta({
  id: 'TimestampMs',
  description: 'Milliseconds since 1970-01-01T00:00:00Z.',
  example: 1795252974170,
})
