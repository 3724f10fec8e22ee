import type { z } from 'zod'
import {
  commitOffsets,
  heartbeatGroup,
  joinGroup,
  leaveGroup,
  pollGroup,
} from '../../contract/group-routes.ts'
import type { GroupOffset, Membership, PollResponse } from '../../contract/groups.ts'
import { call, CallError } from '../call.ts'
import { BackOff, isRetriable, pause } from '../tails/back-off.ts'
import type { ConsumeOptions } from './options.ts'

type Polled = z.infer<typeof PollResponse>

/** Long enough to be quiet, short enough for proxies. */
const WAIT_MS = 20_000

/** A member of a group, with what it knows of itself. Calls are tried until they succeed or are refused for good. */
export class GroupMember {
  readonly #base: string
  readonly #options: ConsumeOptions
  #membership: Membership | undefined
  /** Of the last answer that arrived: nothing behind it is taken as received. */
  #ack = ''

  constructor(base: string, options: ConsumeOptions) {
    this.#base = base
    this.#options = options
  }

  get session_timeout_ms(): number {
    return this.#membership?.session_timeout_ms ?? 45_000
  }

  async join(signal: AbortSignal): Promise<void> {
    const { member_id, auto_offset_reset, session_timeout_ms, rebalance_timeout_ms, assignor } =
      this.#options
    const body = {
      topics: [...this.#options.topics],
      // After a session that has ended it is the same member again, if it can be.
      member_id: this.#membership?.member_id ?? member_id,
      auto_offset_reset,
      session_timeout_ms,
      rebalance_timeout_ms,
      assignor,
    }
    const params = { group: this.#options.group }
    this.#membership = await insist(signal, () =>
      call(this.#base, joinGroup, { params, body, signal }),
    )
    this.#ack = this.#membership.ack
  }

  /** The next records; what was given out before is done. */
  async poll(signal: AbortSignal): Promise<Polled['records']> {
    const { max_records = 500, max_bytes } = this.#options
    const query = {
      generation_id: this.#generation(),
      commit: 'previous' as const,
      received: this.#ack,
      max_records,
      max_bytes,
      max_wait_ms: WAIT_MS,
    }
    const polled = await insist(signal, () =>
      call(this.#base, pollGroup, { params: this.#params(), query, signal }),
    )
    this.#took(polled)
    return polled.records
  }

  #took({ ack, generation_id }: Polled): void {
    this.#ack = ack
    if (this.#membership) this.#membership.generation_id = generation_id
  }

  async heartbeat(signal: AbortSignal): Promise<void> {
    const query = { generation_id: this.#generation() }
    await insist(signal, () =>
      call(this.#base, heartbeatGroup, { params: this.#params(), query, signal }),
    )
  }

  async commit(offsets: readonly GroupOffset[], signal: AbortSignal): Promise<void> {
    if (offsets.length === 0) return
    const body = {
      member_id: this.#params().member_id,
      generation_id: this.#generation(),
      offsets: [...offsets],
    }
    const params = { group: this.#options.group }
    await insist(signal, () => call(this.#base, commitOffsets, { params, body, signal }))
  }

  async leave(signal: AbortSignal): Promise<void> {
    const query = { generation_id: this.#generation() }
    await insist(signal, () =>
      call(this.#base, leaveGroup, { params: this.#params(), query, signal }),
    )
    this.#membership = undefined
  }

  #generation(): number {
    return this.#membership?.generation_id ?? 0
  }

  #params(): { group: string; member_id: string } {
    return { group: this.#options.group, member_id: this.#membership?.member_id ?? '' }
  }
}

/** Tries until it succeeds, or fails in a way that trying again will not change. */
async function insist<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> {
  const backOff = new BackOff()
  for (;;) {
    try {
      return await run()
    } catch (error) {
      signal.throwIfAborted()
      // What fetch throws where no answer came.
      if (!isRetriable(error) && !(error instanceof TypeError)) throw error
      await pause(backOff.next(error, false), signal)
    }
  }
}

/** Has the group gone on without this member? */
export function hasLostPlace(error: unknown): boolean {
  const code = error instanceof CallError ? error.problem?.code : undefined
  return code === 'unknown_member_id' || code === 'illegal_generation'
}
