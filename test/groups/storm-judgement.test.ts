import { expect, it } from 'vitest'
import type { CommitAttempt, Delivery, PartitionState, Processed } from './history.ts'
import { judgeDeliveries, judgeFences, judgeOwners, lateCommits } from './owner-judgement.ts'
import { judgeAcknowledged, judgeCommitted, judgeProcessed } from './record-judgement.ts'
import { rebalanceTimes } from './tenures.ts'

/** The judge of the storm against histories made by hand: it is content with the innocent, and with nobody else. */

const LOG = new Map([[0, ['a', 'b', 'c']]])

const processed = (offset: number, at: number, id = 'abc'[offset] ?? ''): Processed => {
  return { partition: 0, offset, id, at }
}

const state = (at: number, owner: string | null, more: Partial<PartitionState> = {}) => {
  const empty = { owner_generation: 1, target: owner, delivered: null, committed: null }
  return { at, partition: 0, owner, ...empty, ...more }
}

const commit = (
  sent: number,
  offset: number,
  more: Partial<CommitAttempt> = {},
): CommitAttempt => ({
  process: 'process-1',
  member_id: 'anna',
  generation_id: 1,
  offsets: [{ partition: 0, offset }],
  is_explicit: true,
  sent,
  answered: sent + 10,
  outcome: 'ok',
  said: '',
  ...more,
})

const delivery = (sent: number, member_id: string, more: Partial<Delivery> = {}): Delivery => ({
  process: member_id,
  member_id,
  generation_id: 1,
  partition: 0,
  first: 0,
  next: 3,
  sent,
  answered: sent + 10,
  ...more,
})

const ALL = [processed(0, 100), processed(1, 110), processed(2, 120)]

/** Anna has the partition, and from 1000 on Berta. */
const PASSED_ON = [
  state(0, null, { owner_generation: 0 }),
  state(50, 'anna'),
  state(1000, 'berta', { owner_generation: 2 }),
]

it('finds records that nobody has processed', () => {
  expect(judgeProcessed(LOG, ALL)).toEqual([])
  expect(judgeProcessed(LOG, ALL.slice(1))).toEqual(['0:0, a, was never processed'])
})

it('finds records that are others than what was produced', () => {
  const other = [...ALL, processed(1, 130, 'x')]
  expect(judgeProcessed(LOG, other)).toEqual(['0:1 was read as x, is b'])
})

it('finds commits of what had not been processed', () => {
  const states = [state(50, 'anna'), state(115, 'anna', { committed: 2 })]
  expect(judgeCommitted(ALL, states)).toEqual([])
  const early = [state(50, 'anna'), state(115, 'anna', { committed: 3 })]
  expect(judgeCommitted(ALL, early)).toHaveLength(1)
  const [first, , third] = ALL as [Processed, Processed, Processed]
  expect(judgeCommitted([first, third], [state(900, 'anna', { committed: 3 })])).toHaveLength(1)
})

it('counts a record from the first time it was processed', () => {
  const again = [...ALL, processed(0, 5000)]
  expect(judgeCommitted(again, [state(200, 'anna', { committed: 3 })])).toEqual([])
})

it('finds commits that went back', () => {
  const states = [state(200, 'anna', { committed: 3 }), state(300, 'anna', { committed: 2 })]
  expect(judgeCommitted(ALL, states)).toEqual(['0:3 went back to 2'])
})

it('finds acknowledged commits that were sent before the work was done, or are not held', () => {
  const states = [state(50, 'anna'), state(205, 'anna', { committed: 3 })]
  expect(judgeAcknowledged(ALL, [commit(200, 3)], states)).toEqual([])
  expect(judgeAcknowledged(ALL, [commit(115, 3, { answered: 300 })], states)).toHaveLength(1)
  expect(judgeAcknowledged(ALL, [commit(150, 3)], states)).toHaveLength(1)
  expect(judgeAcknowledged(ALL, [commit(115, 3, { outcome: 'unknown' })], states)).toEqual([])
})

it('finds a second owner in one generation, and a generation that went back', () => {
  expect(judgeOwners(PASSED_ON)).toEqual([])
  const shared = [state(50, 'anna'), state(60, null), state(70, 'berta')]
  expect(judgeOwners(shared)).toHaveLength(1)
  const back = [state(50, 'anna', { owner_generation: 2 }), state(60, null)]
  expect(judgeOwners(back)).toHaveLength(1)
})

it('finds records handed to one who has not got the partition', () => {
  expect(judgeDeliveries([delivery(100, 'anna')], PASSED_ON)).toEqual([])
  expect(judgeDeliveries([delivery(100, 'berta')], PASSED_ON)).toHaveLength(1)
  expect(judgeDeliveries([delivery(1100, 'anna')], PASSED_ON)).toHaveLength(1)
  // On the way while it changes hands, it may be either's, but not under a generation before.
  expect(judgeDeliveries([delivery(995, 'anna')], PASSED_ON)).toEqual([])
  expect(judgeDeliveries([delivery(995, 'berta')], PASSED_ON)).toHaveLength(1)
  const newer = delivery(995, 'berta', { generation_id: 2 })
  expect(judgeDeliveries([newer], PASSED_ON)).toEqual([])
})

it('finds a former owner who is given records again in one generation', () => {
  const states = [state(0, 'anna'), state(100, 'berta'), state(200, 'anna')]
  const sequence = [delivery(10, 'anna'), delivery(110, 'berta')]
  expect(judgeDeliveries(sequence, states)).toEqual([])
  const again = [...sequence, delivery(210, 'anna')]
  expect(judgeDeliveries(again, states)).toHaveLength(1)
  const later = [...sequence, delivery(210, 'anna', { generation_id: 2 })]
  expect(judgeDeliveries(later, states)).toEqual([])
})

it('finds commits accepted from one who had lost the partition', () => {
  const advanced = [...PASSED_ON, state(1505, 'berta', { owner_generation: 2, committed: 3 })]
  const own = commit(1500, 3, { member_id: 'berta', generation_id: 2 })
  expect(judgeFences([own], advanced)).toEqual([])
  const zombie = commit(1200, 2)
  expect(judgeFences([own, zombie], advanced)).toHaveLength(1)
  // Given back for the second time, what is committed already may be accepted: it changes nothing.
  const again = commit(1600, 2, { is_explicit: false })
  expect(judgeFences([own, again], advanced)).toEqual([])
  expect(judgeFences([own, { ...again, sent: 1200, answered: 1210 }], advanced)).toHaveLength(1)
  const refused = commit(1200, 2, { outcome: 'refused' })
  expect(judgeFences([own, refused], advanced)).toEqual([])
  expect(lateCommits([own, refused], advanced)).toEqual([refused])
})

it('finds commits accepted under a generation from before the owner came again', () => {
  const states = [state(50, 'anna'), state(1000, 'anna', { owner_generation: 2 })]
  const committed = [...states, state(1505, 'anna', { owner_generation: 2, committed: 3 })]
  const [former, present] = [commit(1500, 3), commit(1500, 3, { generation_id: 2 })]
  expect(judgeFences([present], committed)).toEqual([])
  expect(judgeFences([former, present], committed)).toHaveLength(1)
  const given = { ...former, is_explicit: false }
  expect(judgeFences([given], committed)).toHaveLength(1)
})

it('finds commits that happened though they were refused, or that nobody asked for', () => {
  const states = [state(50, 'anna'), state(205, 'anna', { committed: 3 })]
  expect(judgeFences([commit(200, 3)], states)).toEqual([])
  expect(judgeFences([commit(200, 3, { outcome: 'unknown', answered: Infinity })], states)).toEqual(
    [],
  )
  expect(judgeFences([commit(200, 3, { outcome: 'refused' })], states)).toHaveLength(1)
  expect(judgeFences([commit(200, 3, { outcome: 'no' })], states)).toHaveLength(1)
  expect(judgeFences([commit(200, 3, { member_id: 'berta' })], states)).not.toEqual([])
  expect(judgeFences([], states)).toHaveLength(1)
})

it('measures how long partitions had no living owner', () => {
  const members = [
    { at: 40, member_id: 'anna', is_member: true, lease_until: 500 },
    { at: 45, member_id: 'berta', is_member: true, lease_until: 500 },
    { at: 995, member_id: 'anna', is_member: false, lease_until: 800 },
  ]
  expect(rebalanceTimes(PASSED_ON, members, 9000)).toEqual({ ms: [200], never: 0 })
  expect(rebalanceTimes(PASSED_ON.slice(0, 2), members, 9000)).toEqual({ ms: [], never: 1 })
})
