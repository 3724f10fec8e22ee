/** Synchronous work of about a millisecond each, done a few a turn of the event loop, so that the rest goes on. */
export class LoopTurns {
  readonly #waiting: { bytes: number; go: () => void }[] = []
  readonly #atOnce: number
  #bytes = 0
  #held = false
  #scheduled = false

  /** `atOnce` pieces a turn. */
  constructor(atOnce = 1) {
    this.#atOnce = atOnce
  }

  /** Bytes of what waits for its turn. */
  get bytes(): number {
    return this.#bytes
  }

  /** Resolves when it is the caller's turn, first come first served; what it does then must be synchronous. */
  next(bytes = 0): Promise<void> {
    this.#bytes += bytes
    return new Promise((go) => {
      this.#waiting.push({ bytes, go })
      this.#schedule()
    })
  }

  /** Nobody's turn comes until the returned function is called; calling it again does nothing. */
  hold(): () => void {
    this.#held = true
    return () => {
      if (!this.#held) return
      this.#held = false
      this.#schedule()
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.#held || this.#waiting.length === 0) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      if (this.#held) return
      for (const { bytes, go } of this.#waiting.splice(0, this.#atOnce)) {
        this.#bytes -= bytes
        go()
      }
      this.#schedule()
    })
  }
}
