import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../tails/random.ts'
import { noteAnswer, type Writer } from './diary.ts'
import { request, type Asked, type Body, type Call, type Nodes } from './group-calls.ts'
import type { History, PartitionOffset } from './history.ts'

/** What all members of a storm have to do with. */
export interface Scene {
  group: string
  topic: string
  nodes: Nodes
  history: History
  /** By partition_id, which is what acks are made of. */
  partitions: ReadonlyMap<number, number>
}

/** Thrown where a process that is over would go on. */
class Over extends Error {}

/** How often a caller loses patience, and with it an answer. */
const IMPATIENCE = 0.04
let processes = 0

/**
 * A process that reads for the group, as far as the group can tell: it may be frozen, which stops it wherever it
 * is, and goes on later with all it knew; or killed, and is never heard of again.
 */
export abstract class Member {
  readonly process: string
  readonly session_ms: number
  /** Somebody has joined under its name since. */
  isReplaced = false
  /** As the group knows it; undefined before it has joined. */
  memberId: string | undefined
  protected generation = 0
  protected ack: string | undefined
  protected readonly scene: Scene
  protected readonly random: Random
  readonly #life = new AbortController()
  #isOver = false
  #isLeaving = false
  #frozen: Promise<void> | undefined

  constructor(scene: Scene, random: Random, name: string | undefined) {
    this.scene = scene
    this.random = random
    this.memberId = name
    this.process = `process-${String(++processes)}`
    this.session_ms = 1000 + random.below(2000)
  }

  /** One answer, and what comes of it. */
  protected abstract step(): Promise<void>

  get isOver(): boolean {
    return this.#isOver || this.#isLeaving
  }

  async run(): Promise<void> {
    try {
      for (;;) await this.step()
    } catch (error) {
      if (!(error instanceof Over)) throw error
    }
    this.#isOver = true
    if (this.#isLeaving) await this.#sayGoodbye()
  }

  kill(): void {
    this.#isOver = true
    this.#life.abort()
  }

  leave(): void {
    this.#isLeaving = true
  }

  /** Stops it in its tracks, and lets it go on after this time. */
  freeze(ms: number): void {
    if (this.#frozen || this.isOver) return
    this.#frozen = sleep(ms).then(() => {
      this.#frozen = undefined
      if (ms > this.session_ms) this.scene.history.counts.thaws++
    })
  }

  /** Ends it here, as its name is another's. */
  protected giveUp(): never {
    throw new Over()
  }

  /** Between any two things it does. */
  protected async turn(): Promise<void> {
    await this.#frozen
    if (this.isOver) throw new Over()
  }

  protected async rest(ms: number): Promise<void> {
    await sleep(ms)
    await this.turn()
  }

  /** A request to any node; now and then the caller does not wait for the answer. */
  protected async ask(method: string, path: string, body?: object): Promise<Asked> {
    await this.turn()
    const impatience = new AbortController()
    const isLost = this.random.chance(IMPATIENCE)
    const timer = isLost && setTimeout(() => impatience.abort(), this.random.below(40))
    const signal = AbortSignal.any([this.#life.signal, impatience.signal])
    const asked = await this.#request({ method, path, body }, signal)
    if (timer) clearTimeout(timer)
    return asked
  }

  async #request({ method, path, body }: Call, signal: AbortSignal): Promise<Asked> {
    const { group, history, nodes } = this.scene
    const call = { method, path: `/v1/groups/${group}${path}`, body }
    const asked = await request(nodes, this.random, call, signal)
    noteAnswer(history, `${method} ${call.path}`, asked.answer)
    return asked
  }

  /** What it is at this moment. */
  protected get writer(): Writer {
    const { process, memberId, generation } = this
    return { process, member_id: memberId ?? '', generation_id: generation }
  }

  /** Works on records, sometimes for so long that it has to say that it lives; sometimes it forgets to. */
  protected async work(records: Body['records']): Promise<void> {
    const isLong = this.random.chance(0.02)
    if (isLong && this.random.chance(0.5)) await this.#workAndBeat()
    else await this.rest(isLong ? this.session_ms * 1.2 : this.random.below(25))
    const at = Date.now()
    for (const { partition, offset, value } of records) {
      this.scene.history.processed.push({ partition, offset, id: value.id, at })
    }
  }

  async #workAndBeat(): Promise<void> {
    for (let k = 0; k < 4; k++) {
      await this.rest(this.session_ms / 3)
      await this.ask(
        'POST',
        `/members/${String(this.memberId)}/heartbeat?generation_id=${String(this.generation)}`,
      )
      this.scene.history.counts.heartbeats++
    }
  }

  /** What an ack commits. To callers it is a word; the judge reads it. */
  protected offsetsOf(ack: string): PartitionOffset[] {
    const places = ack.slice(ack.lastIndexOf(':') + 1)
    if (places === '') return []
    return places.split(',').map((place) => {
      const [id, offset] = place.split('-').map(Number)
      return { partition: this.scene.partitions.get(id ?? -1) ?? -1, offset: offset ?? -1 }
    })
  }

  async #sayGoodbye(): Promise<void> {
    if (this.memberId === undefined) return
    // Whoever has joined under its name since is not meant.
    const path = `/members/${this.memberId}?generation_id=${String(this.generation)}`
    for (let tries = 0; tries < 20; tries++) {
      const { answer } = await this.#request({ method: 'DELETE', path }, this.#life.signal)
      if (answer?.status === 204) this.scene.history.counts.leaves++
      if (answer && answer.status !== 503) return
      await sleep(50)
    }
  }
}
