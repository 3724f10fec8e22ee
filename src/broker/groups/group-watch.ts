import { setMaxListeners } from 'node:events'
import { LIMITS } from '../../contract/limits.ts'
import type { GroupNews } from '../../store/group-members.ts'

interface Watched {
  /** Of the last look; undefined before the first. */
  version: string | undefined
  generation_id: number | undefined
  wakers: Set<() => void>
  active_until: number
  /** How often there was news. */
  ticks: number
}

export interface GroupWatchSource {
  news: (groupIds: readonly number[]) => Promise<GroupNews[]>
  rebalance: (groupId: number) => Promise<unknown>
}

/**
 * Looks after the groups whose members call this node: a look every LIMITS.group_poll_ms, one query for all of them,
 * finds sessions that are over, hand-overs that take too long, new partitions, and what other nodes have changed.
 * Any number of nodes may look after the same group.
 */
export class GroupWatch {
  readonly #source: GroupWatchSource
  readonly #watched = new Map<number, Watched>()
  readonly #closing = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #looking = false

  constructor(source: GroupWatchSource) {
    this.#source = source
    // One for each member on a WebSocket.
    setMaxListeners(0, this.closing)
  }

  /** A member of this group has called. */
  touch(groupId: number): Watched {
    let watched = this.#watched.get(groupId)
    if (!watched) {
      watched = {
        version: undefined,
        generation_id: undefined,
        wakers: new Set(),
        ticks: 0,
        active_until: 0,
      }
      this.#watched.set(groupId, watched)
    }
    watched.active_until = performance.now() + LIMITS.group_active_ms
    this.#lookSoon(LIMITS.group_poll_ms)
    return watched
  }

  /** What to give to `changed`: taken before the group is read, so that no news in between is missed. */
  ticksOf(groupId: number): number {
    return this.touch(groupId).ticks
  }

  /** Resolves when something about the group has changed since then, or on abort. */
  async changed(groupId: number, since: number, signal: AbortSignal): Promise<void> {
    const { wakers, ticks } = this.touch(groupId)
    if (ticks !== since || signal.aborted || this.closing.aborted) return
    await new Promise<void>((resolve) => {
      const wake = () => {
        wakers.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      wakers.add(wake)
      signal.addEventListener('abort', wake)
    })
  }

  /** The newest generation heard of; undefined where this node does not look after the group. */
  generationOf(groupId: number): number | undefined {
    return this.#watched.get(groupId)?.generation_id
  }

  /** Something has changed here: whoever waits looks again. */
  tell(groupId: number): void {
    const watched = this.#watched.get(groupId)
    if (!watched) return
    watched.ticks++
    for (const wake of [...watched.wakers]) wake()
  }

  /** Aborted when the server stops. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  close(): void {
    this.#closing.abort()
    clearTimeout(this.#timer)
    for (const id of this.#watched.keys()) this.tell(id)
  }

  #lookSoon(ms: number): void {
    if (this.closing.aborted || this.#looking) return
    this.#timer ??= setTimeout(() => void this.#look(), ms)
    this.#timer.unref()
  }

  async #look(): Promise<void> {
    this.#timer = undefined
    this.#looking = true
    const now = performance.now()
    for (const [id, { wakers, active_until }] of this.#watched) {
      if (wakers.size === 0 && active_until < now) this.#watched.delete(id)
    }
    try {
      if (this.#watched.size > 0) await this.#lookAt([...this.#watched.keys()])
    } catch {
      // The database is away, and sessions go on as long as it is.
    }
    this.#looking = false
    if (this.#watched.size > 0) this.#lookSoon(LIMITS.group_poll_ms)
  }

  async #lookAt(ids: readonly number[]): Promise<void> {
    const found = new Map((await this.#source.news(ids)).map((news) => [news.group_id, news]))
    for (const id of ids) {
      const news = found.get(id)
      if (news?.is_due) await this.#source.rebalance(id)
      const watched = this.#watched.get(id)
      const version = news && `${String(news.generation_id)} ${String(news.on_the_way)}`
      if (watched) watched.generation_id = news?.generation_id
      if (!watched || (watched.version === version && !news?.is_due)) continue
      // With the first look, too: who waits may have read before that.
      watched.version = version
      this.tell(id)
    }
  }
}
