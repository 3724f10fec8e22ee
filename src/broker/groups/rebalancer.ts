import { applyRebalance, groupSnapshot, keepPlan } from '../../store/group-members.ts'
import type { StorePools } from '../../store/pool.ts'
import { mayTryAgain } from '../../store/sqlstate.ts'
import { planRebalance } from './plan.ts'

/** Each try that fails means that another node's succeeded; a storm of joins ends some day. */
const TRIES = 50

interface Run {
  done: Promise<void>
  /** Begins when this one has ended: for those who changed the group after this one began. */
  next: Promise<void> | undefined
}

/**
 * Shares out the partitions of groups anew, where they need it. Any node may at any time: the plan is made from a
 * snapshot without any lock, and refused where the group is no longer so. On one node a group is planned once at a
 * time, so that 50 who join at once cost two plans.
 */
export class Rebalancer {
  readonly #pools: StorePools
  readonly #runs = new Map<number, Run>()

  constructor(pools: StorePools) {
    this.#pools = pools
  }

  /** Resolves when what the group was at the time of the call has been planned for. */
  rebalance(groupId: number): Promise<void> {
    const run = this.#runs.get(groupId)
    if (!run) return this.#begin(groupId)
    run.next ??= run.done.catch(() => undefined).then(() => this.#begin(groupId))
    return run.next
  }

  #begin(groupId: number): Promise<void> {
    const done = this.#plan(groupId).finally(() => {
      if (this.#runs.get(groupId) === run) this.#runs.delete(groupId)
    })
    const run: Run = { done, next: undefined }
    this.#runs.set(groupId, run)
    return done
  }

  async #plan(groupId: number): Promise<void> {
    for (let tries = 0; tries < TRIES; tries++) {
      const snapshot = await groupSnapshot(this.#pools, groupId)
      if (!snapshot) return
      const plan = planRebalance(snapshot)
      if (!plan) {
        if (snapshot.planned_for !== snapshot.membership) await keepPlan(this.#pools, snapshot)
        return
      }
      try {
        if (await applyRebalance(this.#pools, snapshot, plan)) return
      } catch (error) {
        if (!mayTryAgain(error)) throw error
      }
    }
  }
}
