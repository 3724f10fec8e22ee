import type { MemberState } from '../../store/group-offsets.ts'
import type { HandedOut } from './note.ts'

/** How long a member's state is believed without asking; what is done on its word is fenced by the database. */
const BELIEVED_MS = 1_000
/** Members remembered; past it all are forgotten, which costs each one query. */
const MOST = 10_000

/**
 * Where members stood when this node last gave them records. A member that reads on and on is spared one query of
 * three. Nothing depends on its being true: notes and commits are fenced in the rows they write, and where one fails
 * the database is asked.
 */
export class MemberMemory {
  readonly #members = new Map<string, { state: MemberState; read_at: number }>()

  /** Takes it out, so that of two polls at once only one goes on from it. `newest`: the generation last heard of. */
  take(member: string, newest: (groupId: number) => number | undefined): MemberState | undefined {
    const known = this.#members.get(member)
    this.#members.delete(member)
    if (!known) return undefined
    const age = performance.now() - known.read_at
    const generation = newest(known.state.group_id)
    const isCurrent = generation === undefined || generation === known.state.generation_id
    if (age > BELIEVED_MS || !isCurrent) return undefined
    return { ...known.state, lease_ms: known.state.lease_ms - age }
  }

  /** The member has been given these records, and what it named is committed. */
  keep(
    member: string,
    state: MemberState,
    pages: readonly HandedOut[],
    committed: ReadonlyMap<number, number>,
  ): void {
    if (this.#members.size >= MOST) this.#members.clear()
    for (const { standing, page, high_watermark } of pages) {
      standing.owned.delivered = page.next_offset
      standing.owned.high_watermark = high_watermark
    }
    for (const owned of state.owned) {
      const offset = committed.get(owned.partition_id)
      if (offset !== undefined) owned.committed = Math.max(offset, owned.committed ?? 0)
    }
    this.#members.set(member, { state, read_at: performance.now() })
  }
}
