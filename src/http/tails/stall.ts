import type { Socket } from 'node:net'
import { LIMITS } from '../../contract/limits.ts'

const STEP_MS = LIMITS.tail_stall_ms / 6

/**
 * Finds readers that take nothing. Node's time-out of a socket looks whether what is queued has grown less
 * since it last looked, and the half of a write that the system takes at once counts as less: it is asked in
 * short steps, or a stalled reader would have twice its time.
 */
export class StallWatch {
  readonly #socket: Socket
  #last = 0
  #quietSince = 0

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setTimeout(STEP_MS)
  }

  /** Something new is waited for. */
  restart(): void {
    this.#last = 0
  }

  /** Call at the socket's time-out while something is waited for. Has the reader had all its time? */
  isOver(): boolean {
    const now = performance.now()
    // In between the reader took something, else Node would have called sooner.
    if (now - this.#last > 1.5 * STEP_MS) this.#quietSince = now - STEP_MS
    this.#last = now
    this.#socket.setTimeout(STEP_MS)
    return now - this.#quietSince >= LIMITS.tail_stall_ms - STEP_MS / 2
  }
}
