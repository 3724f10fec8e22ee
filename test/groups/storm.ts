import { setTimeout as sleep } from 'node:timers/promises'
import { Random } from '../tails/random.ts'
import { Committer } from './committer.ts'
import type { Member, Scene } from './member.ts'
import { NextCaller } from './next-caller.ts'
import { Poller } from './session-member.ts'

const FEWEST = 4
const MOST = 11
const KINDS = [Poller, Committer, NextCaller]

/** Members of all kinds that come, go, die, freeze and come again. */
export class Storm {
  readonly #scene: Scene
  readonly #random: Random
  #names = 0
  #members: { member: Member; run: Promise<void> }[] = []
  #failures: unknown[] = []

  constructor(scene: Scene, random: Random) {
    this.#scene = scene
    this.#random = random
  }

  /** One thing happens after the other until the time is over; then all that is frozen thaws, and the rest go on. */
  async rage(more: () => boolean): Promise<void> {
    while (more()) {
      this.#members = this.#members.filter(({ member }) => !member.isOver)
      if (this.#members.length < FEWEST) this.#start()
      else this.#happen()
      await sleep(200 + this.#random.below(1000))
    }
    for (const kind of KINDS) this.#start(kind)
  }

  #happen(): void {
    const { member } = this.#random.pick(this.#members)
    const chance = this.#random.next()
    if (chance < 0.28) this.#startIfFew()
    else if (chance < 0.4) member.leave()
    else if (chance < 0.52) this.#kill(member)
    else if (chance < 0.76) member.freeze(this.#freezeMs(member))
    else this.#replace(member)
  }

  #startIfFew(): void {
    if (this.#members.length < MOST) this.#start()
  }

  #kill(member: Member): void {
    member.kill()
    this.#scene.history.counts.kills++
  }

  /** Mostly for longer than its session. */
  #freezeMs({ session_ms }: Member): number {
    const isShort = this.#random.chance(0.2)
    return isShort ? session_ms / 2 : session_ms + 300 + this.#random.below(3000)
  }

  /** A new process under the same name, while the old one is dead, or frozen, or does not know. */
  #replace(member: Member): void {
    if (member.memberId === undefined || member.isReplaced) return
    member.isReplaced = true
    const fate = this.#random.below(3)
    if (fate === 0) member.kill()
    if (fate === 1) member.freeze(this.#freezeMs(member))
    this.#scene.history.counts.restarts++
    this.#start(this.#random.pick(KINDS), member.memberId)
  }

  #start(kind = this.#random.pick(KINDS), name?: string): void {
    const isNamed = this.#random.chance(0.6)
    const own = name ?? (isNamed ? `member-${String(++this.#names)}` : undefined)
    const seed = this.#random.below(2 ** 31)
    const member = new kind(this.#scene, new Random(seed), own)
    const run = member.run().catch((error: unknown) => void this.#failures.push(error))
    this.#members.push({ member, run })
  }

  /** All that still live go, one after the other. */
  async end(): Promise<void> {
    for (const { member } of this.#members) member.leave()
    await Promise.all(this.#members.map(({ run }) => run))
    if (this.#failures.length > 0) throw new AggregateError(this.#failures, 'a member failed')
  }
}
