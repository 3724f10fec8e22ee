import { describe, expect, it } from 'vitest'
import { expectProblem } from '../support/answers.ts'
import { at, LONG, placeOf, sizeOf, upTo, valuesOf } from '../support/group-calls.ts'
import type { Caller, Join, Polled } from '../support/group-calls.ts'
import { useGroups } from '../support/use-groups.ts'
import { until } from '../support/within.ts'

const groups = useGroups()

/** A member with a record in hand of each of two partitions, and another who has joined since. */
async function twoOfThem(name: string, body: Join = {}) {
  await groups.topic(name, ['a', 'b'], ['c', 'd'])
  const owner = await groups.join(name, name, { member_id: 'owner', ...body })
  const held = await groups.poll(owner, { max_records: 1 })
  held.records.push(...(await groups.poll(owner, { max_records: 1 })).records)
  const heir = await groups.join(name, name, { member_id: 'heir' })
  const { partitions } = await groups.describe(name)
  const going = partitions.find(({ goes_to }) => goes_to === 'heir')!
  return { owner, heir, held, going, place: placeOf(going) }
}

/** Polls until there is something. */
async function pollSome(caller: Caller): Promise<Polled> {
  for (;;) {
    const polled = await groups.poll(caller, { max_wait_ms: LONG })
    if (polled.records.length > 0) return polled
  }
}

const placesOf = ({ records }: Polled) => new Set(records.map(placeOf))

describe('a partition of which records are in hand', () => {
  it('stays with its owner, and the group says where it will go', async () => {
    const { heir, going, place } = await twoOfThem('stays')
    expect(going).toMatchObject({ member_id: 'owner', goes_to: 'heir' })
    expect((await groups.describe('stays')).state).toBe('rebalancing')
    expect(heir.assignment).toEqual([])
    expect((await groups.poll(heir, { max_wait_ms: 400 })).records).toEqual([])
    expect((await groups.owners('stays'))[place]).toBe('owner')
  })

  it('brings the owner no more of it, while the others are read on', async () => {
    const { owner, going } = await twoOfThem('read-on')
    await groups.produce('read-on', [
      { value: 'e', partition: 0 },
      { value: 'f', partition: 1 },
    ])
    const polled = await groups.poll(owner)
    expect(polled.revoked).toEqual([{ topic: 'read-on', partitions: [going.partition] }])
    expect(placesOf(polled)).toEqual(
      new Set([placeOf({ ...going, partition: 1 - going.partition })]),
    )
    expect(polled.records).toHaveLength(2)
  })

  it('goes over when they are committed, to a waiting member at once', async () => {
    const { owner, heir, going, place } = await twoOfThem('committed')
    const waiting = pollSome(heir)
    await groups.commit(owner, [at('committed', going.partition, 1)])
    expect(await waiting).toMatchObject({ records: [{ partition: going.partition, offset: 1 }] })
    expect((await groups.owners('committed'))[place]).toBe('heir')
    expect((await groups.describe('committed')).state).toBe('stable')
  })

  it('goes over with commit=previous in that same call', async () => {
    const { owner, heir, going } = await twoOfThem('previous')
    const polled = await groups.pollOn(owner)
    expect([...placesOf(polled)]).not.toContain(placeOf(going))
    expect(await groups.owners('previous')).toMatchObject({ [placeOf(going)]: 'heir' })
    expect((await groups.poll(heir)).records).toMatchObject([
      { partition: going.partition, offset: 1 },
    ])
    expect(await groups.poll(owner)).not.toHaveProperty('revoked')
  })

  it('goes over with `delivered`', async () => {
    const { owner, place } = await twoOfThem('delivered')
    await groups.commit(owner, 'delivered')
    expect((await groups.owners('delivered'))[place]).toBe('heir')
    expect((await groups.committed('delivered'))[place]).toBe(1)
  })

  it('is told to its new owner, though the generation stays as it was', async () => {
    const { owner, heir, going } = await twoOfThem('told')
    const { generation_id } = await groups.poll(heir)
    await groups.commit(owner, 'delivered')
    const polled = await groups.poll(heir, { generation_id, max_wait_ms: LONG })
    expect(polled.assignment).toEqual([{ topic: 'told', partitions: [going.partition] }])
  })

  it('goes over at once when the group is reset', async () => {
    const { owner, heir, place } = await twoOfThem('reset')
    await groups.reset('reset', { topic: 'reset', to: 'earliest' })
    expect((await groups.owners('reset'))[place]).toBe('heir')
    expect((await groups.describe('reset')).state).toBe('stable')
    for (const one of [owner, heir]) expect((await groups.poll(one)).records).toHaveLength(2)
  })

  it('does not go over when only a part of them is committed', async () => {
    await groups.topic('part', upTo(5), upTo(5))
    const owner = await groups.join('part', 'part')
    await groups.poll(owner)
    const heir = await groups.join('part', 'part', { member_id: 'heir' })
    const { partitions } = await groups.describe('part')
    const { partition } = partitions.find(({ goes_to }) => goes_to)!
    await groups.commit(owner, [at('part', partition, 3)])
    expect((await groups.poll(heir, { max_wait_ms: 300 })).records).toEqual([])
    await groups.commit(owner, [at('part', partition, 5)])
    expect((await groups.poll(heir)).assignment).toEqual([
      { topic: 'part', partitions: [partition] },
    ])
  })

  it('goes over when the owner leaves, and is read again', async () => {
    const { owner, heir } = await twoOfThem('left')
    await groups.leave(owner)
    const values: unknown[] = []
    while (values.length < 4) values.push(...valuesOf(await pollSome(heir)))
    expect(values.sort()).toEqual(['a', 'b', 'c', 'd'])
  })

  it('goes over when the owner’s session ends, and is read again', async () => {
    const { heir } = await twoOfThem('ended', { session_timeout_ms: 1_000 })
    const values: unknown[] = []
    while (values.length < 4) values.push(...valuesOf(await pollSome(heir)))
    expect(values.sort()).toEqual(['a', 'b', 'c', 'd'])
  })

  it('goes over when its owner has had its time, though that one lives and polls', async () => {
    const { owner, heir, going, held } = await twoOfThem('overtaken', {
      rebalance_timeout_ms: 1_000,
    })
    const waiting = pollSome(heir)
    await until(async () => {
      const { revoked } = await groups.poll(owner, { max_wait_ms: 100 })
      return revoked === undefined
    })
    expect(await waiting).toMatchObject({
      records: [{ partition: going.partition, offset: 0 }, {}],
    })
    const late = held.records.filter(({ partition }) => partition === going.partition)
    const offsets = [at('overtaken', going.partition, late[0]!.offset + 1)]
    const answer = await groups.tryCommit(owner, offsets)
    await expectProblem(answer, 'illegal_generation', { written: 'no' })
    expect(await groups.committed('overtaken')).toMatchObject({ [placeOf(going)]: null })
  })

  it('stays after all when the one who should have it leaves', async () => {
    const { owner, heir } = await twoOfThem('stayed')
    await groups.leave(heir)
    expect(sizeOf((await groups.poll(owner)).assignment)).toBe(2)
    await groups.commit(owner, 'delivered')
    expect(Object.values(await groups.owners('stayed'))).toEqual(['owner', 'owner'])
  })
})

describe('a partition of which nothing is in hand', () => {
  it('goes over at once', async () => {
    await groups.topic('free', ['a'], ['b'])
    await groups.join('free', 'free')
    const heir = await groups.join('free', 'free')
    expect(sizeOf(heir.assignment)).toBe(1)
    expect((await groups.poll(heir)).records).toHaveLength(1)
  })

  it('as all of it is committed goes over at once', async () => {
    await groups.topic('done', ['a'], ['b'])
    const owner = await groups.join('done', 'done')
    await groups.poll(owner)
    await groups.commit(owner, 'delivered')
    expect(sizeOf((await groups.join('done', 'done')).assignment)).toBe(1)
  })

  it('costs nobody else a partition: three members of six move as few as they must', async () => {
    await groups.topic('few', ...upTo(6).map(() => []))
    await groups.join('few', 'few', { member_id: 'one' })
    await groups.join('few', 'few', { member_id: 'two' })
    const before = await groups.owners('few')
    await groups.join('few', 'few', { member_id: 'three' })
    const after = await groups.owners('few')
    const moved = Object.keys(before).filter((place) => before[place] !== after[place])
    expect(moved).toHaveLength(2)
    expect(moved.map((place) => after[place])).toEqual(['three', 'three'])
  })
})
