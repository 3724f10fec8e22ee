import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  HAND_OVER,
  handOverState,
  type HandOverEvent,
  type HandOverRow,
  type HandOverState,
} from '../../src/broker/groups/hand-over.ts'
import { applyRebalance, groupSnapshot, joinGroup } from '../../src/store/group-members.ts'
import { advanceOffsets, type AdvanceEntry } from '../../src/store/group-offsets.ts'
import { openTestStore, type TestStore } from '../support/log.ts'

/** What the database makes of each event in each state is what the table says. */

let store: TestStore
let partition_id = 0
beforeAll(async () => {
  store = await openTestStore()
  const topic = await store.createTopic('handed', 1)
  partition_id = topic.partition_ids[0]!
})
afterAll(() => store.close())

const HAS = 'has-it'
const WANTS = 'wants-it'
let groups = 0

async function rowOf(groupId: number): Promise<HandOverRow> {
  const [row] = await store.database.query<HandOverRow>(
    `select owner, target, committed::int, delivered::int from tailrace.group_partitions where group_id = $1`,
    [groupId],
  )
  return row!
}

async function plan(groupId: number, target: string | null): Promise<void> {
  const snapshot = await groupSnapshot(store.pools, groupId)
  const targets = [{ partition_id, target, from_start: false }]
  expect(await applyRebalance(store.pools, snapshot!, { expired: [], targets })).toBe(true)
}

async function advance(groupId: number, entry: Partial<AdvanceEntry>): Promise<string> {
  const { generation_id } = (await groupSnapshot(store.pools, groupId))!
  const { owner } = await rowOf(groupId)
  const entries = [{ partition_id, ...entry }]
  const call = { group_id: groupId, member_id: owner ?? HAS, generation_id, explicit: false }
  const [outcome] = await advanceOffsets(store.pools, [{ ...call, entries }])
  return outcome!.status
}

const set = (groupId: number, columns: string) =>
  store.database.query(`update tailrace.group_partitions set ${columns} where group_id = $1`, [
    groupId,
  ])

/** A group of two in which the partition is in this state. */
async function groupIn(state: HandOverState): Promise<number> {
  const group = `group-${String(++groups)}`
  let group_id = 0
  for (const member_id of [HAS, WANTS]) {
    const timeouts = { session_timeout_ms: 60_000, rebalance_timeout_ms: 60_000 }
    const what = { topics: ['handed'], auto_offset_reset: 'earliest' as const, client: 'test' }
    const request = { group, member_id, ...what, ...timeouts, assignor: undefined, most_members: 9 }
    ;({ group_id } = await joinGroup(store.pools, request))
  }
  await plan(group_id, state === 'free' ? null : HAS)
  if (state === 'working' || state === 'revoked') await set(group_id, 'delivered = 10')
  if (state === 'revoked') await plan(group_id, WANTS)
  expect(handOverState(await rowOf(group_id))).toBe(state)
  return group_id
}

const EVENTS: Record<HandOverEvent, (groupId: number) => Promise<unknown>> = {
  planned_for_same: (id) => plan(id, HAS),
  planned_for_other: (id) => plan(id, WANTS),
  planned_for_none: (id) => plan(id, null),
  delivered: async (id) => {
    const { delivered, committed } = await rowOf(id)
    return advance(id, { seen: delivered ?? committed, delivered: 20 })
  },
  committed_some: (id) => advance(id, { committed: 5 }),
  committed_all: async (id) => advance(id, { committed: (await rowOf(id)).delivered ?? 0 }),
  gone: async (id) => {
    await store.database.query(
      'delete from tailrace.group_members where group_id = $1 and member_id = $2',
      [id, HAS],
    )
    await plan(id, WANTS)
  },
  overdue: async (id) => {
    await set(id, `revoke_until = now() - interval '1 s'`)
    await plan(id, (await rowOf(id)).target)
  },
}

describe.each(Object.keys(HAND_OVER) as HandOverState[])('a partition that is %s', (state) => {
  it.each(Object.keys(EVENTS) as HandOverEvent[])(
    'after %s is as the table says',
    async (event) => {
      const id = await groupIn(state)
      const before = await rowOf(id)
      await EVENTS[event](id)
      const after = await rowOf(id)
      const { state: expected, holder } = HAND_OVER[state][event]
      const owners = { nobody: null, same: before.owner ?? HAS, target: after.target }
      expect({ state: handOverState(after), owner: after.owner }).toEqual({
        state: expected,
        owner: owners[holder],
      })
    },
  )
})
