import { noteCommit } from './diary.ts'
import type { Body } from './group-calls.ts'
import type { CommitAttempt, PartitionOffset } from './history.ts'
import { SessionMember } from './session-member.ts'

type Records = Body['records']

/** Works on parts of what it was given, and commits in between, under the generation it knows. */
export class Committer extends SessionMember {
  /** Processed and not committed: behind the last record, by partition. */
  readonly #done = new Map<number, number>()
  #last: PartitionOffset[] = []

  protected override async step(): Promise<void> {
    await this.requireMembership()
    // By now all that it was given is done, so either is true.
    const records = await this.poll(this.random.chance(0.25) ? 'previous' : 'none')
    for (const part of this.#parts(records)) {
      await this.work(part)
      for (const { partition, offset } of part) this.#done.set(partition, offset + 1)
      if (this.random.chance(0.6) && !(await this.#commit())) return
    }
    if (this.random.chance(0.05)) await this.#send(this.#last)
    if (this.random.chance(0.8)) await this.#commit()
  }

  protected override startOver(): void {
    super.startOver()
    this.#done.clear()
  }

  #parts(records: Records): Records[] {
    const parts: Records[] = []
    for (let from = 0; from < records.length;) {
      const to = from + 1 + this.random.below(records.length - from)
      parts.push(records.slice(from, to))
      from = to
    }
    return parts
  }

  /** False where it has thrown away all it had. */
  async #commit(): Promise<boolean> {
    if (this.#done.size === 0) return true
    const offsets = [...this.#done].map(([partition, offset]) => ({ partition, offset }))
    const outcome = await this.#send(offsets)
    if (outcome === 'ok') this.#forget(offsets)
    if (outcome === 'ok' || outcome === 'unknown') return true
    if (this.isReplaced) this.giveUp()
    if (this.random.chance(0.3)) {
      this.startOver()
      return false
    }
    // A commit is all or nothing; alone, those that are still its own go through.
    for (const one of offsets) {
      if ((await this.#send([one])) !== 'unknown') this.#forget([one])
    }
    return true
  }

  #forget(offsets: readonly PartitionOffset[]): void {
    for (const { partition } of offsets) this.#done.delete(partition)
  }

  async #send(offsets: PartitionOffset[]): Promise<CommitAttempt['outcome']> {
    if (offsets.length === 0) return 'ok'
    this.#last = offsets
    const body = {
      member_id: this.memberId,
      generation_id: this.generation,
      offsets: offsets.map((one) => ({ topic: this.scene.topic, ...one })),
    }
    const asked = await this.ask('POST', '/offsets', body)
    const { history } = this.scene
    const outcome = noteCommit(history, this.writer, { offsets, is_explicit: true }, asked)
    await this.turn()
    return outcome
  }
}
