import type { MemberState, OwnedPartition } from '../../store/group-offsets.ts'
import type { Ack } from './ack.ts'

/** How long what the database said of a member is believed; what is done on its word is fenced by the database. */
const BELIEVED_MS = 1_000
/** Members remembered; past it all are forgotten, which costs each one query. */
const MOST = 10_000

/** What was handed out. */
interface Given {
  pages: readonly {
    standing: { owned: OwnedPartition }
    page: { next_offset: number }
    high_watermark: number
  }[]
  in_hand: ReadonlyMap<number, number>
}

interface Remembered {
  /** When it was given them, by performance.now(). */
  given_at: number
  state: MemberState
  in_hand: ReadonlyMap<number, number>
}

/**
 * Where members stood when this node last gave them records. A member that reads on and on, and gives back the ack
 * of just that answer, is spared one query of three. Nothing depends on its being true: notes and commits are fenced
 * in the rows they write, and where one fails the database is asked.
 */
export class MemberMemory {
  readonly #members = new Map<string, Remembered>()

  /**
   * The state behind the answer that this ack is of; undefined where another node, or another answer, came in
   * between. Taken out, so that of two polls at once only one goes on from it.
   */
  take(
    member: string,
    received: Ack | undefined,
  ): { state: MemberState; given_at: number } | undefined {
    const known = this.#members.get(member)
    this.#members.delete(member)
    if (!known || received?.generation_id !== known.state.generation_id) return undefined
    if (received.group_id !== known.state.group_id) return undefined
    const isFresh = performance.now() - known.state.read_at < BELIEVED_MS
    return isFresh && isSame(received.offsets, known.in_hand) ? known : undefined
  }

  /** The member has been given this, and what it named is committed. */
  keep(
    member: string,
    state: MemberState,
    { pages, in_hand }: Given,
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
    this.#members.set(member, { given_at: performance.now(), state, in_hand })
  }
}

function isSame(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): boolean {
  return a.size === b.size && [...a].every(([id, offset]) => b.get(id) === offset)
}
