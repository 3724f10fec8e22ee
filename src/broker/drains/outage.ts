import { setMaxListeners } from 'node:events'
import { LIMITS } from '../../contract/limits.ts'
import { ProblemError } from '../../contract/problem-error.ts'
import type { Backoff } from '../back-off.ts'

/** How often a database that may be away is asked whether it is there, and how long it may take to say so. */
const ASK_MS = 250
const ANSWER_MS = 1_000
/** Something that takes so long to be stored makes one ask. */
const SUSPECT_MS = 500

interface Door {
  /** No connections are taken any more. */
  shut: () => void
  open: () => void
}

/**
 * While the database is away for longer, senders of logs are better off with a port that refuses: Logplex spends its
 * three tries on an answer, good or bad, but none on a connection that is not taken, and keeps its lines.
 *
 *   open --lines wait, and the database has not answered for LIMITS.drain_outage_ms,
 *          or does not, and half of LIMITS.drain_held_bytes is held--> shut
 *   shut --the database answers, and no more is held than that-->      open
 */
export class DrainOutage {
  readonly #ask: () => Promise<unknown>
  #isOver = false
  /** Ends the pauses of all who wait; then there is another one for those who come. */
  #pauses = pauses()
  #door: Door = { shut: () => undefined, open: () => undefined }
  #held = 0
  /** By performance.now(). */
  #failingSince: number | undefined
  /** Did it not answer when it was last asked? */
  #isAway = false
  #isShut = false
  #timer: NodeJS.Timeout | undefined

  /** `ask` resolves when the database answers. */
  constructor(ask: () => Promise<unknown>) {
    this.#ask = ask
  }

  /** Who takes connections. */
  guard(door: Door): void {
    this.#door = door
  }

  /** Does the server stop? Then nothing is tried again. */
  get isOver(): boolean {
    return this.#isOver
  }

  /**
   * Resolves when what failed may be tried again: after the pause, or as soon as the database is back. Pauses grow to
   * 2 s, and a sender that has waited for most of its 5 s would give up in one that goes on behind the outage.
   */
  async pause(backoff: Pick<Backoff, 'failed'>): Promise<void> {
    this.suspect()
    await backoff.failed(this.#pauses.signal)
  }

  /** Runs while its body counts as held in memory. */
  async holding<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    if (this.#held > 0 && this.#held + bytes > LIMITS.drain_held_bytes) throw tooMuchHeld()
    this.#held += bytes
    const timer = setTimeout(() => this.suspect(), SUSPECT_MS)
    try {
      return await work()
    } finally {
      clearTimeout(timer)
      this.#held -= bytes
    }
  }

  /** Something was not stored, or not soon: the database may be away. */
  suspect(): void {
    if (this.#isOver) return
    this.#failingSince ??= performance.now()
    this.#timer ??= setTimeout(() => void this.#look(), ASK_MS)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#isOver = true
    this.#pauses.abort()
  }

  #endPauses(): void {
    this.#pauses.abort()
    this.#pauses = pauses()
  }

  #isFull(): boolean {
    return this.#held > LIMITS.drain_held_bytes / 2
  }

  /** Has it been away for longer? */
  #isLong(): boolean {
    return performance.now() - (this.#failingSince ?? Infinity) >= LIMITS.drain_outage_ms
  }

  #shut(): void {
    if (this.#isShut || this.#isOver) return
    this.#isShut = true
    this.#door.shut()
    // Nobody else may come and find out that it is back.
    this.suspect()
  }

  async #look(): Promise<void> {
    const isThere = await answers(this.#ask())
    this.#timer = undefined
    if (this.#isOver) return
    if (isThere) this.#failingSince = undefined
    if (isThere && this.#isAway) this.#endPauses()
    this.#isAway = !isThere
    if (isThere && !(this.#isShut && this.#isFull())) {
      if (this.#isShut) this.#door.open()
      this.#isShut = false
      return
    }
    if (!isThere && (this.#isFull() || this.#isLong())) this.#shut()
    this.suspect()
  }
}

/** Of as many as there are. */
function pauses(): AbortController {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal)
  return controller
}

function answers(answer: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ANSWER_MS)
    answer.then(
      () => resolve(true),
      () => resolve(false),
    )
    answer.catch(() => undefined).finally(() => clearTimeout(timer))
  })
}

function tooMuchHeld(): ProblemError {
  return new ProblemError('queue_full', 'Too many log lines wait for the database on this node.', {
    written: 'no',
    retry_after_s: 5,
  })
}
