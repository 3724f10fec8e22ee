import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** What the system knows of a process (Linux). */
async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8')
  return Number(/VmRSS:\s*(\d+) kB/.exec(status)?.[1]) * 1024
}

/** CPU time it has used, in ms. */
async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8')
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
  // In ticks of 10 ms, on every Linux there is.
  return (Number(user) + Number(system)) * 10
}

/** How many files it has open, sockets among them. */
async function openFiles(pid: number): Promise<number> {
  const names = await readdir(`/proc/${String(pid)}/fd`)
  return names.length
}

export interface Sample {
  /** By performance.now(). */
  at: number
  resident: number
  files: number
  cpu_ms: number
}

/** Looks at a process again and again. */
export class ProcessWatch {
  readonly samples: Sample[] = []
  readonly #pid: number
  #over = false
  readonly #watching: Promise<void>

  constructor(pid: number) {
    this.#pid = pid
    this.#watching = this.#watch()
  }

  async #watch(): Promise<void> {
    while (!this.#over) {
      const [resident, files, cpu_ms] = await Promise.all([
        residentBytes(this.#pid),
        openFiles(this.#pid),
        cpuMs(this.#pid),
      ])
      this.samples.push({ at: performance.now(), resident, files, cpu_ms })
      await sleep(100)
    }
  }

  /** The most memory it had between two moments. */
  peak(from: number, to: number): number {
    return Math.max(...this.#between(from, to).map(({ resident }) => resident))
  }

  /** How much of a core it used between two moments. */
  cores(from: number, to: number): number {
    const samples = this.#between(from, to)
    const [first, last] = [samples[0], samples.at(-1)]
    if (!first || !last || first === last) return NaN
    return (last.cpu_ms - first.cpu_ms) / (last.at - first.at)
  }

  #between(from: number, to: number): Sample[] {
    return this.samples.filter(({ at }) => at >= from && at <= to)
  }

  async stop(): Promise<void> {
    this.#over = true
    await this.#watching
  }
}
