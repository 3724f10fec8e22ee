import type { DrainMetrics } from '../../contract/drain-metrics.ts'
import { LIMITS } from '../../contract/limits.ts'
import { prometheusOf } from './prometheus.ts'
import { RecentRequests } from './recent-requests.ts'
import { requestOf } from './router-line.ts'
import { snapshotOf } from './snapshot.ts'
import { Window } from './window.ts'

/** A record of a drain's topic. */
export interface MetricsRecord {
  partition: number
  offset: number
  /** When it arrived, epoch ms. */
  timestamp: number
  /** As JSON.parse gives it. */
  value: unknown
}

/**
 * Router metrics of one drain, made from the records of its topic by a reader like any other: read each partition in
 * order, from the first record of the last hour on, and after a restart again. Nothing is stored; memory is bounded
 * (see Window), whatever the records hold.
 */
export class RouterMetrics {
  readonly #now: () => number
  readonly #window = new Window()
  readonly #recent = new RecentRequests()
  readonly #positions = new Map<number, number>()

  /** `now` tells the time, epoch ms: a record that claims to have arrived later cannot make all others old. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** The last offset seen of each partition. */
  get positions(): ReadonlyMap<number, number> {
    return this.#positions
  }

  /** How many numbers are held, and in how many bytes. */
  get size(): Window['size'] {
    return this.#window.size
  }

  /** Counts a record once: one that was read before, by its offset, is passed over. Never throws. */
  add({ partition, offset, timestamp, value }: MetricsRecord): void {
    const last = this.#positions.get(partition)
    if (last !== undefined && offset <= last) return
    this.#positions.set(partition, offset)
    const seen = requestOf(value)
    if (!seen || (seen.request !== undefined && this.#recent.isRepeated(seen.request))) return
    this.#window.add(seen, Math.min(timestamp, this.#now() + LIMITS.metrics_ahead_ms))
  }

  /** See snapshotOf. */
  snapshot(now_ms: number, window_ms: number): DrainMetrics {
    return snapshotOf(this.#window, now_ms, window_ms)
  }

  /** This drain alone in Prometheus' text format. */
  prometheus(drain: string): string {
    const recent = this.snapshot(this.#now(), LIMITS.metrics_default_window_ms)
    return prometheusOf([{ drain, window: this.#window, recent }])
  }
}
