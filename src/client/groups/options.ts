import type { z } from 'zod'
import type { GroupRecord, JoinGroup } from '../../contract/groups.ts'

/** A record, with the topic and partition it is of. */
export type ConsumedRecord = z.infer<typeof GroupRecord>

/** Works on one record. The next one of its partition waits until it has resolved. */
export type RecordHandler = (record: ConsumedRecord, signal: AbortSignal) => unknown

type Joining = z.input<typeof JoinGroup>

export interface ConsumeOptions extends Omit<Joining, 'topics'> {
  group: string
  /** Names, and prefixes with an asterisk: `orders.*`. */
  topics: readonly string[]
  /** Stops: what is being worked on is finished and committed, and the group left. */
  signal?: AbortSignal
  /** Partitions worked on at the same time; default 8. */
  concurrency?: number
  /** Records of one poll; default 500. They are in hand until all are done. */
  max_records?: number
  max_bytes?: number
}
