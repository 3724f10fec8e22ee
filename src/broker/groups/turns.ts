/** Members remembered; past it all begin anew, which does no harm. */
const MOST = 10_000

/** Which of its partitions comes first in a member's next answer, so that a busy one starves no other. */
export class Turns {
  readonly #turns = new Map<string, number>()

  /** The list from whoever's turn it is on. */
  inTurn<T>(member: string, list: readonly T[]): T[] {
    const first = (this.#turns.get(member) ?? 0) % Math.max(list.length, 1)
    return [...list.slice(first), ...list.slice(0, first)]
  }

  /** The member was given records. */
  next(member: string): void {
    const turn = this.#turns.get(member) ?? 0
    if (this.#turns.size >= MOST) this.#turns.clear()
    this.#turns.set(member, turn + 1)
  }
}
