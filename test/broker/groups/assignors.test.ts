import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ASSIGNORS, type AssignInput, type Assigned } from '../../../src/broker/groups/assignors.ts'
import {
  equalShapes,
  inputOf,
  loadsOf,
  mixedShapes,
  movedOf,
  type Shape,
} from '../../support/group-shapes.ts'

const SEED = { seed: 429, numRuns: 500 }
const NAMES = ['cooperative_sticky', 'range', 'round_robin'] as const

function holds(shapes: fc.Arbitrary<Shape>, check: (input: AssignInput) => void): void {
  fc.assert(
    fc.property(shapes, (shape) => check(inputOf(shape))),
    SEED,
  )
}

const spread = (loads: number[]) => Math.max(...loads) - Math.min(...loads)
const sticky = ASSIGNORS.cooperative_sticky
/** The same group later: everybody has what was assigned. */
const since = (input: AssignInput, owners: Assigned): AssignInput => ({ ...input, owners })

describe.each(NAMES)('partitions shared out by %s', (name) => {
  const assign = ASSIGNORS[name]

  it('have one owner each, who subscribes, where anybody does', () => {
    holds(mixedShapes, (input) => {
      const assigned = assign(input)
      for (const { partition_id, topic } of input.partitions) {
        const takers = input.members.filter(({ wants }) => wants(topic))
        const ids = takers.map(({ member_id }) => member_id)
        if (ids.length === 0) expect(assigned.has(partition_id)).toBe(false)
        else expect(ids).toContain(assigned.get(partition_id))
      }
      expect(assigned.size).toBeLessThanOrEqual(input.partitions.length)
    })
  })

  it('are the same every time, and stay so', () => {
    holds(mixedShapes, (input) => {
      const assigned = assign(input)
      expect(assign(input)).toEqual(assigned)
      expect(assign(since(input, assigned))).toEqual(assigned)
    })
  })

  it('are none where there is nobody, or nothing', () => {
    const { partitions, members } = inputOf({ topics: [3], members: [[0]], owners: [0, 5] })
    expect(assign({ members: [], partitions, owners: new Map([[1, 'gone']]) }).size).toBe(0)
    expect(assign({ members, partitions: [], owners: new Map([[1, 'm0']]) }).size).toBe(0)
  })
})

describe.each(['cooperative_sticky', 'round_robin'] as const)('%s', (name) => {
  it('gives members that want the same as many, but for one', () => {
    holds(equalShapes, (input) => {
      expect(spread(loadsOf(input, ASSIGNORS[name](input)))).toBeLessThanOrEqual(1)
    })
  })
})

describe('range', () => {
  it('gives each member of a topic neighbours, the first ones one more', () => {
    holds(equalShapes, (input) => {
      const assigned = ASSIGNORS.range(input)
      for (const topic of new Set(input.partitions.map((one) => one.topic))) {
        const ofTopic = input.partitions.filter((one) => one.topic === topic)
        const owners = ofTopic.map(({ partition_id }) => assigned.get(partition_id)!)
        expect(owners).toEqual([...owners].sort())
        const counts = input.members.map(
          ({ member_id }) => owners.filter((owner) => owner === member_id).length,
        )
        expect(counts).toEqual([...counts].sort((a, b) => b - a))
        expect(spread(counts)).toBeLessThanOrEqual(1)
      }
    })
  })
})

describe('cooperative_sticky', () => {
  it('moves no more than it must to be even', () => {
    holds(equalShapes, (input) => {
      const after = sticky(input)
      const kept = loadsOf(input, new Map([...input.owners])).sort((one, other) => other - one)
      const each = Math.floor(input.partitions.length / kept.length)
      const more = input.partitions.length % kept.length
      // Who has most keeps the one more that somebody has to have.
      const shares = kept.map((_, index) => each + (index < more ? 1 : 0))
      const most = kept.reduce((sum, load, n) => sum + Math.max(0, load - shares[n]!), 0)
      expect(movedOf(input, after)).toBe(most)
    })
  })

  it('moves nothing where nobody has two more than another', () => {
    holds(equalShapes, (input) => {
      const even = since(input, sticky(input))
      expect(movedOf(even, sticky(even))).toBe(0)
    })
  })

  it('when a member comes takes only what that one gets', () => {
    holds(equalShapes, (input) => {
      const before = since(input, sticky(input))
      const joined = {
        ...before,
        members: [...input.members, { member_id: 'new', wants: () => true }],
      }
      const after = sticky(joined)
      const moved = [...before.owners].filter(([id, owner]) => after.get(id) !== owner)
      expect(new Set(moved.map(([id]) => after.get(id)))).toEqual(
        new Set(moved.length ? ['new'] : []),
      )
      expect(spread(loadsOf(joined, after))).toBeLessThanOrEqual(1)
    })
  })

  it('when a member goes shares out only what that one had', () => {
    holds(equalShapes, (input) => {
      const before = since(input, sticky(input))
      const [gone, ...left] = input.members
      const after = sticky({ ...before, members: left })
      if (left.length === 0) return
      for (const [id, owner] of before.owners) {
        if (owner !== gone!.member_id) expect(after.get(id)).toBe(owner)
      }
    })
  })

  it('leaves nobody with two more than another who could have one of them', () => {
    holds(mixedShapes, (input) => {
      const assigned = sticky(input)
      const loads = loadsOf(input, assigned)
      for (const { partition_id, topic } of input.partitions) {
        const giver = input.members.findIndex((one) => one.member_id === assigned.get(partition_id))
        for (const [taker, { wants }] of input.members.entries()) {
          if (wants(topic)) expect(loads[giver]! - loads[taker]!).toBeLessThan(2)
        }
      }
    })
  })

  it('shares out a thousand partitions among a thousand members in one go', () => {
    const members = Array<number[]>(1_000).fill([0])
    const input = inputOf({ topics: [1_000], members, owners: Array<number>(1_000).fill(0) })
    expect(loadsOf(input, sticky(input)).every((load) => load === 1)).toBe(true)
  })
})
