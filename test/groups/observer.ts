import { setTimeout as sleep } from 'node:timers/promises'
import { getGroup } from '../../src/contract/group-routes.ts'
import type { GroupDescription } from '../../src/contract/groups.ts'
import type { Random } from '../tails/random.ts'
import type { Nodes } from './group-calls.ts'
import type { History } from './history.ts'

/** Looks at the group as people do, and notes what cannot be. */
export class Observer {
  readonly #scene: { group: string; nodes: Nodes; history: History }
  readonly #random: Random
  #before: GroupDescription | undefined

  constructor(scene: { group: string; nodes: Nodes; history: History }, random: Random) {
    this.#scene = scene
    this.#random = random
  }

  async watch(more: () => boolean): Promise<void> {
    while (more()) {
      await this.#look()
      await sleep(200)
    }
  }

  async #look(): Promise<void> {
    const { group, nodes, history } = this.#scene
    const url = `${nodes.anyUrl(this.#random)}/v1/groups/${group}`
    const response = await fetch(url, { signal: AbortSignal.timeout(12_000) }).catch(
      () => undefined,
    )
    const text = await response?.text().catch(() => undefined)
    if (!response || text === undefined || response.status === 503) return
    // Before the first member there is no group.
    if (response.status === 404 && !this.#before) return
    const now = getGroup.response.safeParse(JSON.parse(text))
    if (!now.success) return void history.surprises.push(`GET group: ${text.slice(0, 300)}`)
    history.counts.polls_of_group++
    if (this.#before) history.surprises.push(...backwards(this.#before, now.data))
    this.#before = now.data
  }
}

function backwards(before: GroupDescription, now: GroupDescription): string[] {
  const wrong: string[] = []
  if (now.generation_id < before.generation_id) wrong.push('the generation went back')
  for (const { partition, committed } of before.partitions) {
    const later = now.partitions.find((one) => one.partition === partition)
    if ((later?.committed ?? 0) < (committed ?? 0)) {
      wrong.push(`GET group: partition ${String(partition)} went back from ${String(committed)}`)
    }
  }
  return wrong
}
