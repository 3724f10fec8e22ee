import { LIMITS } from '../../contract/limits.ts'
import {
  groupNews,
  heartbeatMembers,
  type Beaten,
  type Heartbeat,
} from '../../store/group-members.ts'
import {
  advanceOffsets,
  commitSimply,
  noteDelivered,
  type Advance,
  type AdvanceOutcome,
  type SimpleAdvance,
} from '../../store/group-offsets.ts'
import type { StorePools } from '../../store/pool.ts'
import { Coalescer } from '../coalescer.ts'
import { readFrom, type FetchingBroker } from '../fetch.ts'
import { GroupWatch } from './group-watch.ts'
import { MemberMemory } from './member-memory.ts'
import { ReadAhead } from './read-ahead.ts'
import { Rebalancer } from './rebalancer.ts'
import { Turns } from './turns.ts'

/** What a node holds in memory for groups; none of it is truth. */
export interface Groups {
  rebalancer: Rebalancer
  watch: GroupWatch
  heartbeats: Coalescer<Heartbeat, Beaten | undefined>
  /** Notes and commits of one partition; false where it must be looked at with care. */
  notes: Coalescer<SimpleAdvance, boolean>
  notesWithCommits: Coalescer<SimpleAdvance, boolean>
  commits: Coalescer<SimpleAdvance, boolean>
  advances: Coalescer<Advance, AdvanceOutcome>
  turns: Turns
  ahead: ReadAhead
  memory: MemberMemory
}

export interface GroupsBroker extends FetchingBroker {
  groups: Groups
}

export function createGroups(pools: StorePools): Groups {
  const rebalancer = new Rebalancer(pools)
  return {
    rebalancer,
    watch: new GroupWatch({
      news: (ids) => groupNews(pools, ids),
      rebalance: (id) => rebalancer.rebalance(id),
    }),
    heartbeats: new Coalescer(
      (calls) => heartbeatMembers(pools, calls),
      LIMITS.heartbeats_per_flush,
    ),
    notes: new Coalescer((calls) => noteDelivered(pools, calls), LIMITS.commits_per_flush),
    notesWithCommits: new Coalescer(
      (calls) => noteDelivered(pools, calls),
      LIMITS.commits_per_flush,
    ),
    commits: new Coalescer((calls) => commitSimply(pools, calls), LIMITS.commits_per_flush),
    advances: new Coalescer((calls) => advanceOffsets(pools, calls), LIMITS.commits_per_flush),
    turns: new Turns(),
    ahead: new ReadAhead((id, offset, bounds) => readFrom({ pools }, id, offset, bounds)),
    memory: new MemberMemory(),
  }
}
