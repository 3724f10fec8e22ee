/** What happened in a storm. All times are of this machine's clock, which is the database's too, in ms. */
export class History {
  readonly processed: Processed[] = []
  readonly deliveries: Delivery[] = []
  readonly commits: CommitAttempt[] = []
  /** Answers that no caller should ever get. */
  readonly surprises: string[] = []
  readonly counts = {
    joins: 0,
    restarts: 0,
    leaves: 0,
    kills: 0,
    thaws: 0,
    lost_answers: 0,
    heartbeats: 0,
    polls_of_group: 0,
  }
}

/** Somebody has finished with a record. */
export interface Processed {
  partition: number
  offset: number
  /** As its producer called it. */
  id: string
  at: number
}

/** Records of one partition in an answer that arrived. */
export interface Delivery {
  /** Several processes may have been the same member, one after the other. */
  process: string
  member_id: string
  generation_id: number
  partition: number
  first: number
  /** Behind the last. */
  next: number
  sent: number
  answered: number
}

export interface PartitionOffset {
  partition: number
  offset: number
}

/** One request that commits, by whatever route. */
export interface CommitAttempt {
  process: string
  member_id: string
  generation_id: number
  offsets: PartitionOffset[]
  /** It names offsets of its own; any other gives back what it was given. */
  is_explicit: boolean
  sent: number
  /** Infinity where no answer came: it may happen at any later time. */
  answered: number
  /** `refused`: 409, or the member is said to be none; `no`: not written, for another reason. */
  outcome: 'ok' | 'refused' | 'no' | 'unknown'
  /** For people. */
  said: string
}

/** A state of a partition's row, as a trigger in the database saw it, in order. */
export interface PartitionState {
  at: number
  partition: number
  owner: string | null
  owner_generation: number
  target: string | null
  delivered: number | null
  committed: number | null
}

/** A member came into being, or was deleted; `lease_until` is that of its row. */
export interface MemberChange {
  at: number
  member_id: string
  is_member: boolean
  lease_until: number
}

/** What the database says happened. */
export interface Testimony {
  partitions: PartitionState[]
  members: MemberChange[]
}

/** Lists by what their items have in common. */
export function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const found = new Map<K, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const list = found.get(key)
    if (list) list.push(item)
    else found.set(key, [item])
  }
  return found
}

export function byPartition<T extends { partition: number }>(
  items: readonly T[],
): Map<number, T[]> {
  return groupBy(items, ({ partition }) => partition)
}
