/** Two generations of this many ids: a request is remembered for 5,000 further ones at least. */
const GENERATION = 5_000

/** Ids of recent requests, for senders that write several lines about one. At most 10,000, about 2 MB. */
export class RecentRequests {
  #young = new Set<string>()
  #old = new Set<string>()

  /** Remembers an id; true where it was known already. */
  isRepeated(id: string): boolean {
    if (this.#young.has(id)) return true
    const known = this.#old.has(id)
    this.#young.add(id)
    if (this.#young.size >= GENERATION) [this.#old, this.#young] = [this.#young, new Set()]
    return known
  }
}
