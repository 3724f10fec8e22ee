import type { Assignor } from '../../contract/groups.ts'

/** How partitions are shared out: pure, and the same on every node. */

export interface Subscriber {
  member_id: string
  /** Does it subscribe to this topic? */
  wants: (topic: string) => boolean
}

export interface SharedPartition {
  partition_id: number
  topic: string
}

export interface AssignInput {
  /** By member_id. */
  members: readonly Subscriber[]
  /** By topic and partition. */
  partitions: readonly SharedPartition[]
  /** Who has each partition so far. */
  owners: ReadonlyMap<number, string>
}

/** The member of each partition; what nobody wants is missing. */
export type Assigned = Map<number, string>

export const ASSIGNORS: Readonly<Record<Assignor, (input: AssignInput) => Assigned>> = {
  cooperative_sticky: cooperativeSticky,
  range,
  round_robin: roundRobin,
}

/** Each topic in contiguous ranges, the first members getting one more; as Kafka's RangeAssignor. */
function range({ members, partitions }: AssignInput): Assigned {
  const assigned: Assigned = new Map()
  for (const [topic, ofTopic] of byTopic(partitions)) {
    const takers = members.filter(({ wants }) => wants(topic))
    const each = Math.floor(ofTopic.length / takers.length)
    const more = ofTopic.length % takers.length
    let from = 0
    takers.forEach(({ member_id }, k) => {
      const to = from + each + (k < more ? 1 : 0)
      for (const { partition_id } of ofTopic.slice(from, to)) assigned.set(partition_id, member_id)
      from = to
    })
  }
  return assigned
}

/** All partitions dealt out in turn, past members that do not want one; as Kafka's RoundRobinAssignor. */
function roundRobin({ members, partitions }: AssignInput): Assigned {
  const assigned: Assigned = new Map()
  let turn = 0
  for (const { partition_id, topic } of partitions) {
    const ahead = members.findIndex((_, k) => members[(turn + k) % members.length]?.wants(topic))
    if (ahead < 0) continue
    const index = (turn + ahead) % members.length
    assigned.set(partition_id, members[index]?.member_id ?? '')
    turn = index + 1
  }
  return assigned
}

/**
 * Whoever has a partition keeps it, unless that leaves somebody with two fewer than another who could give one:
 * then as few move as it takes. The idea is of Kafka's cooperative-sticky assignor (KIP-54, KIP-429).
 */
function cooperativeSticky({ members, partitions, owners }: AssignInput): Assigned {
  const loads = new Map(members.map(({ member_id }) => [member_id, new Set<SharedPartition>()]))
  const takersOf = eligible(members, partitions)
  const free: SharedPartition[] = []
  for (const partition of partitions) {
    const owner = owners.get(partition.partition_id)
    const keeps = takersOf(partition.topic).some(({ member_id }) => member_id === owner)
    if (keeps) loads.get(owner ?? '')?.add(partition)
    else free.push(partition)
  }
  for (const partition of free) leastLoaded(takersOf(partition.topic), loads)?.add(partition)
  while (moveOne(loads, takersOf));
  const assigned: Assigned = new Map()
  for (const [member_id, held] of loads) {
    for (const { partition_id } of held) assigned.set(partition_id, member_id)
  }
  return assigned
}

type Loads = Map<string, Set<SharedPartition>>
type TakersOf = (topic: string) => readonly Subscriber[]

/** Moves a partition from one of the most loaded members to one with at least two fewer; false: there is none. */
function moveOne(loads: Loads, takersOf: TakersOf): boolean {
  const givers = [...loads.values()].sort((a, b) => b.size - a.size)
  for (const giver of givers) {
    for (const [topic, held] of byTopic([...giver])) {
      const taker = leastLoaded(takersOf(topic), loads)
      const last = held.at(-1)
      if (!taker || !last || giver.size - taker.size < 2) continue
      giver.delete(last)
      taker.add(last)
      return true
    }
  }
  return false
}

function leastLoaded(
  takers: readonly Subscriber[],
  loads: Loads,
): Set<SharedPartition> | undefined {
  let least: Set<SharedPartition> | undefined
  for (const { member_id } of takers) {
    const load = loads.get(member_id)
    if (load && (!least || load.size < least.size)) least = load
  }
  return least
}

function eligible(
  members: readonly Subscriber[],
  partitions: readonly SharedPartition[],
): TakersOf {
  const found = new Map<string, Subscriber[]>()
  for (const topic of new Set(partitions.map((one) => one.topic))) {
    found.set(
      topic,
      members.filter(({ wants }) => wants(topic)),
    )
  }
  return (topic) => found.get(topic) ?? []
}

function byTopic<P extends SharedPartition>(partitions: readonly P[]): Map<string, P[]> {
  const found = new Map<string, P[]>()
  for (const one of partitions) {
    const ofTopic = found.get(one.topic)
    if (ofTopic) ofTopic.push(one)
    else found.set(one.topic, [one])
  }
  return found
}
