import type { DrainMetrics } from '../../contract/drain-metrics.ts'
import { LIMITS } from '../../contract/limits.ts'
import { RouterMetrics } from '../../drains/metrics/router-metrics.ts'
import { writeTailPage } from '../../records/tail-page.ts'
import { Tail, type PageWriter } from '../tail.ts'

type Broker = Parameters<typeof Tail.open>[0]

const REMEMBERED_WINDOWS = 16

/** One drain whose requests are counted on this node. */
interface Watched {
  metrics: RouterMetrics
  abort: AbortController
  caughtUp: boolean
  /** Resolves when what was there at the beginning has been read. */
  ready: Promise<void>
  timer: NodeJS.Timeout
  /** By window in ms: one a second, for all who look. */
  snapshots: Map<number, { at: number; metrics: DrainMetrics }>
}

/** The metrics, and whether all of the last hour has been read: while it has not, numbers grow yet. */
export type RouterSnapshot = DrainMetrics & { caught_up: boolean }

/**
 * Counts the requests that router lines of drains tell of. Nothing of it is stored: the first who asks for a drain's
 * metrics makes this node read the last hour of its topic, like any tail, and follow it for as long as somebody asks.
 */
export class RouterWatch {
  readonly #broker: Broker
  readonly #watched = new Map<string, Watched>()
  readonly #stop = new AbortController()

  constructor(broker: Broker) {
    this.#broker = broker
  }

  /** What the requests of a topic were, over a window that ends now. */
  async snapshot(topic: string, windowMs: number): Promise<RouterSnapshot> {
    const { metrics, caughtUp, snapshots } = await this.#of(topic)
    const now = Date.now()
    const recent = snapshots.get(windowMs)
    if (recent && now - recent.at < LIMITS.metrics_update_ms / 2) {
      return { ...recent.metrics, caught_up: caughtUp }
    }
    // Windows are the callers' choice.
    if (snapshots.size >= REMEMBERED_WINDOWS) snapshots.clear()
    const snapshot = metrics.snapshot(now, windowMs)
    snapshots.set(windowMs, { at: now, metrics: snapshot })
    return { ...snapshot, caught_up: caughtUp }
  }

  /** For Prometheus; `drain` is the label. */
  async prometheus(topic: string, drain: string): Promise<string> {
    return (await this.#of(topic)).metrics.prometheus(drain)
  }

  /** What is counted of a topic, waiting for the last hour to be read, but no longer than LIMITS.metrics_wait_ms. */
  async #of(topic: string): Promise<Watched> {
    const watched = this.#watched.get(topic) ?? (await this.#begin(topic))
    watched.timer.refresh()
    // The least asked for is the first.
    this.#watched.delete(topic)
    if (!watched.abort.signal.aborted) this.#watched.set(topic, watched)
    await Promise.race([watched.ready, pause(LIMITS.metrics_wait_ms)])
    return watched
  }

  /** Aborted when the server stops. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }

  close(): void {
    this.#stop.abort()
    for (const topic of [...this.#watched.keys()]) this.#end(topic)
  }

  async #begin(topic: string): Promise<Watched> {
    const abort = new AbortController()
    const timestamp = Date.now() - LIMITS.metrics_window_ms
    const tail = await Tail.open(
      this.#broker,
      {
        topics: [topic],
        names_topics: false,
        from: { kind: 'timestamp', timestamp },
        on_truncated: 'continue',
      },
      abort.signal,
    )
    const [oldest] = this.#watched.keys()
    if (this.#watched.size >= LIMITS.metrics_drains && oldest !== undefined) this.#end(oldest)
    return this.#follow(topic, tail, abort)
  }

  #follow(topic: string, tail: Tail, abort: AbortController): Watched {
    let ready: () => void = () => undefined
    const watched: Watched = {
      metrics: new RouterMetrics(() => Date.now()),
      abort,
      caughtUp: false,
      ready: new Promise((resolve) => (ready = resolve)),
      timer: setTimeout(() => this.#end(topic), LIMITS.metrics_idle_ms).unref(),
      snapshots: new Map(),
    }
    const gone = () => {
      abort.abort()
      clearTimeout(watched.timer)
      if (this.#watched.get(topic) === watched) this.#watched.delete(topic)
      ready()
    }
    const caughtUp = () => {
      watched.caughtUp = true
      ready()
    }
    // Whoever asks next begins anew.
    count(tail, watched.metrics, caughtUp).then(gone, gone)
    return watched
  }

  #end(topic: string): void {
    const watched = this.#watched.get(topic)
    this.#watched.delete(topic)
    watched?.abort.abort()
    clearTimeout(watched?.timer)
  }
}

/** Until the topic is deleted, or the tail is ended. */
async function count(tail: Tail, metrics: RouterMetrics, caughtUp: () => void): Promise<void> {
  for (;;) {
    const event = await tail.next(writeRequests, () => LIMITS.tail_page_records)
    if (event?.type === 'up_to_date') caughtUp()
    if (event?.type === 'records') addAll(metrics, event.page.text)
    if (!event || event.type === 'topic_deleted') return
  }
}

/** Lines of routers, and what Vercel and OpenTelemetry have in their place; most records are neither. */
const TELLS_OF_REQUEST = /"kind":"router"|"proxy"|heroku-router/

const writeRequests: PageWriter = ({ partition, offset, batches, max_records, end }) => {
  const bounds = {
    max_records,
    max_bytes: LIMITS.tail_page_bytes,
    end,
    wants: (line: string) => TELLS_OF_REQUEST.test(line),
  }
  const before = `{"partition":${String(partition)},"offset":`
  return writeTailPage(batches, offset, bounds, { before, after: () => '\n' })
}

function addAll(metrics: RouterMetrics, text: string): void {
  for (const line of text.split('\n')) {
    if (line !== '') metrics.add(JSON.parse(line) as Parameters<RouterMetrics['add']>[0])
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
