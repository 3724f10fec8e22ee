import type { Assignor } from '../../contract/groups.ts'
import type { GroupSnapshot, Plan } from '../../store/group-members.ts'
import { ASSIGNORS, type Subscriber } from './assignors.ts'

/** Does a list of names, and of prefixes with an asterisk behind them, have this topic? */
function subscribes(topics: readonly string[], topic: string): boolean {
  return topics.some((one) =>
    one.endsWith('*') ? topic.startsWith(one.slice(0, -1)) : one === topic,
  )
}

/** Who shall have what from now on; undefined where all is well as it is. Pure. */
export function planRebalance(group: GroupSnapshot): Plan | undefined {
  const expired = group.members.filter(({ is_over }) => is_over).map(({ member_id }) => member_id)
  const desired = assign(group)
  const held = new Map(group.held.map((one) => [one.partition_id, one]))
  const added = group.partitions.filter(({ partition_id }) => !held.has(partition_id))
  const isAsPlanned = group.held.every(
    ({ partition_id, topic, owner, target, is_overdue }) =>
      topic !== null &&
      !is_overdue &&
      target === (desired.get(partition_id) ?? null) &&
      (owner !== null || target === null),
  )
  if (expired.length === 0 && added.length === 0 && isAsPlanned) return undefined
  const known = new Set(group.held.map(({ topic }) => topic))
  const targetOf = (partition_id: number) => desired.get(partition_id) ?? null
  return {
    expired,
    targets: [
      ...group.held
        .filter(({ topic }) => topic !== null)
        .map(({ partition_id }) => ({
          partition_id,
          target: targetOf(partition_id),
          from_start: false,
        })),
      ...added.map(({ partition_id, topic, is_new }) => ({
        partition_id,
        target: targetOf(partition_id),
        from_start: is_new || known.has(topic),
      })),
    ],
  }
}

function assign(group: GroupSnapshot): Map<number, string> {
  const members: Subscriber[] = group.members
    .filter(({ is_over }) => !is_over)
    .map(({ member_id, topics }) => ({
      member_id,
      wants: (topic) => subscribes(topics, topic),
    }))
  const owners = new Map<number, string>()
  for (const { partition_id, owner, target } of group.held) {
    const has = target ?? owner
    if (has !== null) owners.set(partition_id, has)
  }
  const { partitions } = group
  return ASSIGNORS[group.assignor as Assignor]({ members, partitions, owners })
}
