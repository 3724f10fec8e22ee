import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { planRebalance } from '../../../src/broker/groups/plan.ts'
import type { GroupSnapshot, Plan } from '../../../src/store/group-members.ts'
import { mixedShapes, nameOfTopic, partitionsOf, type Shape } from '../../support/group-shapes.ts'

const SEED = { seed: 848, numRuns: 500 }

type Held = GroupSnapshot['held'][number]
const assignors = fc.constantFrom('cooperative_sticky', 'range', 'round_robin')

const GROUP = { group_id: 1, generation_id: 1, membership: 1, planned_for: 1 }

/** A group as the database would show it: who has what, and who is gone. */
function snapshotOf({ shape, assignor, over, away }: Case): GroupSnapshot {
  const all = partitionsOf(shape)
  const members = shape.members.map((wanted, index) => ({
    member_id: `m${String(index)}`,
    topics: wanted.map(nameOfTopic),
    is_over: over.includes(index),
  }))
  const wanted = new Set(members.flatMap(({ topics }) => topics))
  const held = all.slice(0, shape.owners.length).map(({ partition_id, topic }, index): Held => {
    const owner = shape.owners[index]! < 0 ? null : `m${String(shape.owners[index])}`
    const is_overdue = shape.owners[index] === 9
    return { partition_id, topic: away === index ? null : topic, owner, target: owner, is_overdue }
  })
  const partitions = all
    .filter(({ topic }, index) => wanted.has(topic) && away !== index)
    .map((one, partition) => ({ ...one, partition, is_new: false }))
  return { ...GROUP, assignor, members, partitions, held }
}

interface Case {
  shape: Shape
  assignor: string
  /** Members whose sessions are over. */
  over: number[]
  /** A partition whose topic was deleted. */
  away: number
}

const cases: fc.Arbitrary<Case> = fc.record({
  shape: mixedShapes,
  assignor: assignors,
  over: fc.uniqueArray(fc.nat(7), { maxLength: 3 }),
  away: fc.integer({ min: -1, max: 8 }),
})

/** The group after this plan, once all that was handed over has been. */
function after(group: GroupSnapshot, plan: Plan): GroupSnapshot {
  const topics = new Map(group.partitions.map((one) => [one.partition_id, one.topic]))
  for (const one of group.held) if (one.topic !== null) topics.set(one.partition_id, one.topic)
  return {
    ...group,
    members: group.members.filter(({ member_id }) => !plan.expired.includes(member_id)),
    held: plan.targets.map(({ partition_id, target }) => ({
      partition_id,
      topic: topics.get(partition_id) ?? null,
      owner: target,
      target,
      is_overdue: false,
    })),
  }
}

function holds(check: (group: GroupSnapshot, plan: Plan | undefined) => void): void {
  fc.assert(
    fc.property(cases, (one) => {
      const group = snapshotOf(one)
      check(group, planRebalance(group))
    }),
    SEED,
  )
}

const livingOf = (group: GroupSnapshot) => group.members.filter(({ is_over }) => !is_over)

describe('a plan', () => {
  it('gives each wanted partition to one living member who wants it', () => {
    holds((group, plan) => {
      const targets = new Map(
        (plan ?? { targets: group.held }).targets.map((one) => [one.partition_id, one.target]),
      )
      for (const { partition_id, topic } of group.partitions) {
        const takers = livingOf(group).filter(({ topics }) => topics.includes(topic))
        const ids = takers.map(({ member_id }) => member_id)
        const target = targets.get(partition_id) ?? null
        if (ids.length === 0) expect(target).toBeNull()
        else expect(ids).toContain(target)
      }
    })
  })

  it('is none right after it was carried out', () => {
    holds((group, plan) => {
      if (plan) expect(planRebalance(after(group, plan))).toBeUndefined()
    })
  })

  it('ends those whose sessions are over, and no others', () => {
    holds((group, plan) => {
      const over = group.members.filter(({ is_over }) => is_over)
      expect(plan?.expired ?? []).toEqual(over.map(({ member_id }) => member_id))
    })
  })

  it('names each partition once, and none of a topic that is gone', () => {
    holds((group, plan) => {
      if (!plan) return
      const ids = plan.targets.map(({ partition_id }) => partition_id)
      expect(new Set(ids).size).toBe(ids.length)
      const gone = group.held.filter(({ topic }) => topic === null)
      for (const { partition_id } of gone) expect(ids).not.toContain(partition_id)
    })
  })

  it('reads partitions from their start that were added to a topic it knows', () => {
    const member = { member_id: 'm', topics: ['old', 'new'], is_over: false }
    const plan = planRebalance({
      ...GROUP,
      assignor: 'cooperative_sticky',
      members: [member],
      partitions: ['old', 'old', 'new'].map((topic, n) => ({
        partition_id: n + 1,
        topic,
        partition: n % 2,
        is_new: false,
      })),
      held: [{ partition_id: 1, topic: 'old', owner: 'm', target: 'm', is_overdue: false }],
    })
    expect(plan?.targets).toMatchObject([
      { partition_id: 1, target: 'm', from_start: false },
      { partition_id: 2, target: 'm', from_start: true },
      { partition_id: 3, target: 'm', from_start: false },
    ])
  })

  it('takes up what nobody has, though it was meant for the same member before', () => {
    const member = { member_id: 'm', topics: ['t'], is_over: false }
    const plan = planRebalance({
      ...GROUP,
      assignor: 'cooperative_sticky',
      members: [member],
      partitions: [{ partition_id: 1, topic: 't', partition: 0, is_new: false }],
      held: [{ partition_id: 1, topic: 't', owner: null, target: 'm', is_overdue: false }],
    })
    expect(plan?.targets).toMatchObject([{ partition_id: 1, target: 'm' }])
  })

  it('of prefixes takes what begins so', () => {
    const names = ['ord', 'orders', 'order.a', 'Orders', 'or', 'xord']
    const plan = planRebalance({
      ...GROUP,
      assignor: 'range',
      members: [{ member_id: 'm', topics: ['ord*', 'xord'], is_over: false }],
      partitions: names.map((topic, n) => ({
        partition_id: n,
        topic,
        partition: 0,
        is_new: false,
      })),
      held: [],
    })
    const taken = plan!.targets.filter(({ target }) => target === 'm')
    expect(taken.map(({ partition_id }) => names[partition_id])).toEqual([
      'ord',
      'orders',
      'order.a',
      'xord',
    ])
  })
})
