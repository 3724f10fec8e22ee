import type { MemberState } from '../../store/group-offsets.ts'
import type { Watch } from '../wakeups.ts'
import type { GroupsBroker } from './groups-broker.ts'

/** How a poll waits for records or for a change of its group. It holds no database connection. */
export class PollWait {
  readonly #broker: GroupsBroker
  readonly #input: { max_wait_ms: number; signal: AbortSignal }
  readonly #deadline: number
  readonly #watches = new Map<number, Watch>()
  #isNew = false
  #groupId: number | undefined
  #ticks: number | undefined
  #generation: number | undefined

  constructor(broker: GroupsBroker, input: { max_wait_ms: number; signal: AbortSignal }) {
    this.#broker = broker
    this.#input = input
    this.#deadline = performance.now() + input.max_wait_ms
  }

  /** To be called before the member's state is read. */
  willLook(): void {
    if (this.#groupId !== undefined) this.#ticks = this.#broker.groups.watch.ticksOf(this.#groupId)
  }

  /** Watches the partitions that the member has now. */
  follow(state: MemberState): void {
    this.#groupId = state.group_id
    if (this.#input.max_wait_ms === 0) return
    const ids = new Set(state.owned.map(({ partition_id }) => partition_id))
    this.#isNew = false
    for (const [id, watch] of this.#watches) {
      if (ids.has(id)) continue
      watch.end()
      this.#watches.delete(id)
    }
    for (const id of ids) {
      if (this.#watches.has(id)) continue
      this.#watches.set(id, this.#broker.wakeups.watch(id))
      this.#isNew = true
    }
  }

  /**
   * Waits until it may be worth looking again; false where it is not: the time is over, or the group has a new
   * generation, which the caller shall hear of. What is watched only now may have changed before, so that is looked
   * at again at once.
   */
  async forNews(state: MemberState): Promise<boolean> {
    const isOther = this.#generation !== undefined && this.#generation !== state.generation_id
    this.#generation = state.generation_id
    const { signal } = this.#input
    const left = this.#deadline - performance.now()
    if (isOther || left <= 0 || signal.aborted || this.#broker.wakeups.closed) return false
    if (this.#isNew || this.#ticks === undefined) return true
    await this.#sleep(state, this.#ticks, Math.min(left, state.session_timeout_ms / 3))
    return true
  }

  async #sleep(state: MemberState, ticks: number, ms: number): Promise<void> {
    const over = new AbortController()
    const end = () => over.abort()
    this.#input.signal.addEventListener('abort', end)
    const timer = setTimeout(end, ms)
    const waits = state.owned.flatMap(({ partition_id, high_watermark }) => {
      const watch = this.#watches.get(partition_id)
      return watch ? [{ watch, high_watermark }] : []
    })
    const records = this.#broker.wakeups.anyChanged(waits, over.signal)
    try {
      await Promise.race([
        records,
        this.#broker.groups.watch.changed(state.group_id, ticks, over.signal),
      ])
    } finally {
      clearTimeout(timer)
      over.abort()
      this.#input.signal.removeEventListener('abort', end)
      await Promise.allSettled([records])
    }
  }

  end(): void {
    for (const watch of this.#watches.values()) watch.end()
  }
}
