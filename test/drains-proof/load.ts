import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../tails/random.ts'
import { LogSource, type Line } from './lines.ts'
import { LogplexNode, type DrainTarget } from './logplex.ts'

const TICK_MS = 20
/** Lines of one process that come together, as an app's log arrives at Logplex in requests, too. */
const BURST = 12

/** An app whose processes write lines at a steady rate, and the nodes of Logplex that take them. */
export class Load {
  readonly sent: Line[] = []
  readonly nodes: LogplexNode[]
  readonly #sources: LogSource[]
  readonly #random: Random

  constructor(target: DrainTarget, counts: { nodes: number; processes: number }, random: Random) {
    this.#random = random
    this.nodes = Array.from({ length: counts.nodes }, () => new LogplexNode(target, random))
    this.#sources = Array.from({ length: counts.processes }, (_, k) => {
      return new LogSource(k === 0 ? 'router' : `web.${String(k)}`)
    })
  }

  /** Writes lines until told otherwise. */
  async run(linesPerSecond: number, more: () => boolean): Promise<void> {
    const began = performance.now()
    const before = this.sent.length
    while (more()) {
      const due = ((performance.now() - began) * linesPerSecond) / 1000
      while (this.sent.length - before < due) this.#burst()
      await sleep(TICK_MS)
    }
  }

  #burst(): void {
    const source = this.#random.pick(this.#sources)
    const node = this.#node()
    for (let k = this.#random.below(BURST); k >= 0; k--) this.#post(node, source)
  }

  /** The first has three times the lines of the others, and its buffer is full as much sooner. */
  #node(): LogplexNode {
    const at = this.#random.below(this.nodes.length + 2) - 2
    return this.nodes[Math.max(at, 0)] as LogplexNode
  }

  #post(node: LogplexNode, source: LogSource): void {
    const line = source.line(this.#random)
    this.sent.push(line)
    node.post(line)
  }

  get isIdle(): boolean {
    return this.nodes.every((node) => node.isIdle)
  }

  /** One line more from every node: with it goes what it has to say of lines that it dropped. */
  farewell(): void {
    for (const node of this.nodes) this.#post(node, this.#random.pick(this.#sources))
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.close()))
  }
}
