import { noteCommit, noteDeliveries } from './diary.ts'
import type { Asked } from './group-calls.ts'
import { Member } from './member.ts'

/** Knows nothing but its last answer; one that got lost it asks for again. */
export class NextCaller extends Member {
  protected override async step(): Promise<void> {
    const asked = await this.ask('POST', '/next', {
      topics: [this.scene.topic],
      ack: this.ack ?? null,
      lease_ms: this.session_ms,
      max_records: 1 + this.random.below(60),
      max_wait_ms: this.random.pick([0, 100, 1000]),
      ...(this.memberId !== undefined && { member_id: this.memberId }),
    })
    const offsets = this.ack === undefined ? [] : this.offsetsOf(this.ack)
    noteCommit(this.scene.history, this.writer, { offsets, is_explicit: false }, asked)
    const { status } = asked.answer ?? {}
    if (status === 200) return this.#take(asked)
    if (status === 409 || status === 404) {
      if (this.isReplaced) this.giveUp()
      this.ack = undefined
    }
    await this.rest(this.random.below(50))
  }

  async #take(asked: Asked): Promise<void> {
    const { ack, generation_id, member_id, records } = asked.answer!.body
    if (this.ack === undefined) this.scene.history.counts.joins++
    this.memberId = member_id
    this.generation = generation_id
    this.ack = ack
    noteDeliveries(this.scene.history, this.writer, asked)
    await this.turn()
    if (records.length > 0) await this.work(records)
  }
}
