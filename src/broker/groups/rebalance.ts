import { applyRebalance, groupSnapshot, keepPlan } from '../../store/group-members.ts'
import type { StorePools } from '../../store/pool.ts'
import { mayTryAgain } from '../../store/sqlstate.ts'
import { planRebalance } from './plan.ts'

/** Each try that fails means that another one succeeded; a storm of joins ends some day. */
const TRIES = 50

/**
 * Shares out the partitions of a group anew, if it needs it. Any node may at any time: the plan is made from a
 * snapshot without any lock, and refused where the group is no longer so. True where this call changed something.
 */
export async function rebalance(pools: StorePools, groupId: number): Promise<boolean> {
  for (let tries = 0; tries < TRIES; tries++) {
    const snapshot = await groupSnapshot(pools, groupId)
    if (!snapshot) return false
    const plan = planRebalance(snapshot)
    if (!plan) {
      if (snapshot.planned_for !== snapshot.membership) await keepPlan(pools, snapshot)
      return false
    }
    try {
      if (await applyRebalance(pools, snapshot, plan)) return true
    } catch (error) {
      if (!mayTryAgain(error)) throw error
    }
  }
  return false
}
