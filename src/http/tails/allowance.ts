import { LIMITS } from '../../contract/limits.ts'
import type { TailCommand } from '../../contract/tails.ts'

/** How many records a reader on a WebSocket will take: its credit, and none while it pauses. */
export class Allowance {
  #credit: number
  #paused = false

  /** Without a credit there is no bound until the reader sends one. */
  constructor(credit: number | undefined) {
    this.#credit = credit ?? Infinity
  }

  /** Of one page. */
  get records(): number {
    return this.#paused ? 0 : Math.min(this.#credit, LIMITS.tail_page_records)
  }

  /** So many were sent. */
  spend(records: number): void {
    this.#credit -= records
  }

  obey(command: TailCommand): void {
    switch (command.type) {
      case 'credit':
        this.#credit = (this.#credit === Infinity ? 0 : this.#credit) + command.records
        break
      case 'pause':
        this.#paused = true
        break
      case 'resume':
        this.#paused = false
        break
    }
  }
}
