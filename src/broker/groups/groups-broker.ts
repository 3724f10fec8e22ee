import { LIMITS } from '../../contract/limits.ts'
import {
  groupNews,
  heartbeatMembers,
  type Beaten,
  type Heartbeat,
} from '../../store/group-members.ts'
import { advanceOffsets, type Advance, type AdvanceOutcome } from '../../store/group-offsets.ts'
import type { StorePools } from '../../store/pool.ts'
import { Coalescer } from '../coalescer.ts'
import type { FetchingBroker } from '../fetch.ts'
import { GroupWatch } from './group-watch.ts'
import { rebalance } from './rebalance.ts'

/** What a node holds in memory for groups; none of it is truth. */
export interface Groups {
  watch: GroupWatch
  heartbeats: Coalescer<Heartbeat, Beaten | undefined>
  advances: Coalescer<Advance, AdvanceOutcome>
  /** Whose turn it is to come first in a poll, so that a busy partition starves no other. */
  turn: number
}

export interface GroupsBroker extends FetchingBroker {
  groups: Groups
}

export function createGroups(pools: StorePools): Groups {
  return {
    watch: new GroupWatch({
      news: (ids) => groupNews(pools, ids),
      rebalance: (id) => rebalance(pools, id),
    }),
    heartbeats: new Coalescer(
      (calls) => heartbeatMembers(pools, calls),
      LIMITS.heartbeats_per_flush,
    ),
    advances: new Coalescer((calls) => advanceOffsets(pools, calls), LIMITS.commits_per_flush),
    turn: 0,
  }
}
