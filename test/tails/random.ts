import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'

/** Where a run's chance comes from; printed, so that SEED=... repeats its decisions. */
export const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000)

/** A size of a proof, as the environment may set it. */
export function size(name: string, standard: number): number {
  return Number(process.env[name] ?? standard)
}

/** Chance that repeats itself from the same seed and names (mulberry32). */
export class Random {
  #state: number

  constructor(...seeds: number[]) {
    this.#state = 0
    for (const seed of seeds) this.#state = Math.imul(this.#state ^ seed, 0x9e3779b1) + seed
  }

  /** From 0 up to 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number from 0 to n - 1. */
  below(n: number): number {
    return Math.floor(this.next() * n)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  /** Lets a little time pass, of the kinds that a program's own turns are made of. */
  async moment(): Promise<void> {
    switch (this.below(5)) {
      case 0:
        return
      case 1:
        for (let k = this.below(8); k >= 0; k--) await Promise.resolve()
        return
      case 2:
        for (let k = this.below(4); k >= 0; k--) await turn()
        return
      case 3:
        await sleep(this.below(3))
        return
      default:
        await sleep(this.below(12))
    }
  }
}
