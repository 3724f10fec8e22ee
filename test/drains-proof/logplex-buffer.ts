import type { Line } from './lines.ts'

/** What one frame aims at, in bytes, and how many messages wait at most. */
const TARGET_BYTES = 102_400
export const BUFFER_LINES = 1_024

/** What the next frame is made of. */
export interface Taken {
  lines: Line[]
  /** Lines displaced since the frame before. */
  lost: number
}

/** Lines that wait to be sent; when it is full the oldest goes (logplex_msg_buffer.erl). */
export class LogplexBuffer {
  displaced = 0
  readonly #lines: Line[] = []
  #size = BUFFER_LINES
  #lost = 0

  get isEmpty(): boolean {
    return this.#lines.length === 0
  }

  push(line: Line): void {
    if (this.#lines.length >= this.#size) this.#displace()
    this.#lines.push(line)
  }

  /** Makes room for fewer, or more. */
  resize(lines: number): void {
    this.#size = lines
    while (this.#lines.length > lines) this.#displace()
  }

  /** As many as fit into one frame; a line that is larger than that goes by itself. */
  take(): Taken {
    let bytes = 0
    let count = 0
    for (const { framed } of this.#lines) {
      bytes += framed.length
      if (count > 0 && bytes >= TARGET_BYTES) break
      count++
    }
    const lost = this.#lost
    this.#lost = 0
    return { lines: this.#lines.splice(0, count), lost }
  }

  #displace(): void {
    const oldest = this.#lines.shift()
    if (!oldest) return
    oldest.fate = 'displaced'
    this.displaced++
    this.#lost++
  }
}
