/** Synchronous work of about a millisecond each, done one a turn of the event loop, so that the rest goes on. */
export class LoopTurns {
  readonly #waiting: { bytes: number; go: () => void }[] = []
  #bytes = 0
  #held = false
  #scheduled = false

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
      const first = this.#waiting.shift()
      this.#bytes -= first?.bytes ?? 0
      first?.go()
      this.#schedule()
    })
  }
}
