import { noteCommit, noteDeliveries } from './diary.ts'
import type { Asked, Body } from './group-calls.ts'
import { Member } from './member.ts'

type Records = Body['records']

/** A member that joins and polls. */
export abstract class SessionMember extends Member {
  #isMember = false
  /** A commit was refused: the next poll finds out what is left, and commits nothing. */
  #isUncertain = false

  protected async requireMembership(): Promise<void> {
    while (!this.#isMember) await this.#join()
  }

  /** Begins anew under its own name: all that it holds and has not committed comes again. */
  protected startOver(): void {
    this.#isMember = false
    this.#isUncertain = false
    this.ack = undefined
  }

  async #join(): Promise<void> {
    const asked = await this.ask('POST', '/members', {
      topics: [this.scene.topic],
      session_timeout_ms: this.session_ms,
      rebalance_timeout_ms: 2000 + this.random.below(3000),
      ...(this.memberId !== undefined && { member_id: this.memberId }),
    })
    if (asked.answer?.status !== 201) return this.rest(this.random.below(100))
    const { member_id, generation_id, ack } = asked.answer.body
    this.memberId = member_id
    this.generation = generation_id
    this.ack = ack
    this.#isMember = true
    this.scene.history.counts.joins++
  }

  /** The next records. `previous`: all that was given before is done, and committed by this. */
  protected async poll(commit: 'previous' | 'none'): Promise<Records> {
    const commits = this.ack !== undefined && commit === 'previous' && !this.#isUncertain
    const query = new URLSearchParams({
      generation_id: String(this.generation),
      commit: commits ? 'previous' : 'none',
      max_records: String(1 + this.random.below(60)),
      max_wait_ms: String(this.random.pick([0, 100, 1000])),
      ...(this.ack !== undefined && { received: this.ack }),
    })
    const path = `/members/${String(this.memberId)}/records?${query.toString()}`
    const asked = await this.ask('GET', path)
    const offsets = commits ? this.offsetsOf(this.ack ?? '') : []
    noteCommit(this.scene.history, this.writer, { offsets, is_explicit: false }, asked)
    if (asked.answer?.status === 200) return this.#take(asked)
    await this.#cope(asked, commits)
    return []
  }

  #take(asked: Asked): Records {
    const { ack, generation_id, records } = asked.answer!.body
    this.#isUncertain = false
    this.ack = ack
    this.generation = generation_id
    noteDeliveries(this.scene.history, this.writer, asked)
    return records
  }

  async #cope({ answer }: Asked, didCommit: boolean): Promise<void> {
    const isRefused = answer?.status === 409 || answer?.status === 404
    if (isRefused && this.isReplaced) this.giveUp()
    // Without an ack there is no saying that nothing has arrived, but to begin anew.
    if (this.ack === undefined || answer?.status === 404) this.startOver()
    else if (isRefused && !didCommit) this.giveUp()
    else if (isRefused) this.#refused()
    await this.rest(this.random.below(50))
  }

  #refused(): void {
    if (this.random.chance(0.5)) this.startOver()
    else this.#isUncertain = true
  }
}

/** Commits what it was given with its next poll. */
export class Poller extends SessionMember {
  protected override async step(): Promise<void> {
    await this.requireMembership()
    const records = await this.poll('previous')
    if (records.length > 0) await this.work(records)
  }
}
