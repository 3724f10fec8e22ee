import fc from 'fast-check'
import type {
  AssignInput,
  Assigned,
  SharedPartition,
  Subscriber,
} from '../../src/broker/groups/assignors.ts'

/** A group to be shared out, in as few words as it takes. */
export interface Shape {
  /** How many partitions each topic has. */
  topics: number[]
  /** Which topics each member wants. */
  members: number[][]
  /** Who has each partition, by index of the member; -1: nobody, and past the last: one that is gone. */
  owners: number[]
}

const MOST_TOPICS = 4
const topics = fc.array(fc.nat(6), { minLength: 1, maxLength: MOST_TOPICS })
const owners = fc.array(fc.integer({ min: -1, max: 9 }), { maxLength: 30 })
const some = fc.uniqueArray(fc.nat(MOST_TOPICS - 1), { maxLength: MOST_TOPICS })
const all = fc.constant(0).map(() => [...Array(MOST_TOPICS).keys()])

/** Groups whose members want different topics. */
export const mixedShapes: fc.Arbitrary<Shape> = fc.record({
  topics,
  members: fc.array(some, { minLength: 1, maxLength: 8 }),
  owners,
})

/** Groups whose members all want the same. */
export const equalShapes: fc.Arbitrary<Shape> = fc.record({
  topics,
  members: fc.array(all, { minLength: 1, maxLength: 8 }),
  owners,
})

export const nameOfTopic = (index: number) => `t${String(index)}`

export function partitionsOf({ topics: counts }: Shape): SharedPartition[] {
  return counts
    .flatMap((count, index) => Array<string>(count).fill(nameOfTopic(index)))
    .map((topic, index) => ({ partition_id: index + 1, topic }))
}

function membersOf({ members }: Shape): Subscriber[] {
  return members.map((wanted, index) => ({
    member_id: `m${String(index)}`,
    wants: (topic) => wanted.map(nameOfTopic).includes(topic),
  }))
}

export function inputOf(shape: Shape): AssignInput {
  const held = shape.owners.slice(0, partitionsOf(shape).length)
  return {
    members: membersOf(shape),
    partitions: partitionsOf(shape),
    owners: new Map(
      held.flatMap((owner, index) =>
        owner < 0 ? [] : [[index + 1, `m${String(owner)}`] as const],
      ),
    ),
  }
}

/** How many partitions each member has. */
export function loadsOf({ members }: AssignInput, assigned: Assigned): number[] {
  return members.map(
    ({ member_id }) => [...assigned.values()].filter((owner) => owner === member_id).length,
  )
}

/** How many partitions go from one living member to another. */
export function movedOf({ members, owners: before }: AssignInput, after: Assigned): number {
  const living = new Set(members.map(({ member_id }) => member_id))
  return [...before].filter(([id, owner]) => living.has(owner) && after.get(id) !== owner).length
}
