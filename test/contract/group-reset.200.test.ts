import { describe, expect, it } from 'vitest'
import { expectProblem } from '../support/answers.ts'
import type { GroupCalls } from '../support/group-calls.ts'
import { at, LONG, upTo, valuesOf } from '../support/group-calls.ts'
import { moveLogStart } from '../support/log-start.ts'
import { useGroups } from '../support/use-groups.ts'

const groups = useGroups()

const HOUR = 3_600_000
const BASE = Date.UTC(2026, 0, 1)

/** A group at 4 and 6 of a topic of ten records each, an hour apart. */
async function standing(name: string) {
  await groups.create(name, 2)
  const records = upTo(10).map((n) => ({ value: n, timestamp: BASE + n * HOUR }))
  for (const partition of [0, 1]) {
    await groups.produce(
      name,
      records.map((one) => ({ ...one, partition })),
    )
  }
  await groups.set(name, [at(name, 0, 4), at(name, 1, 6)])
  return name
}

type To = Parameters<GroupCalls['reset']>[1]['to']

describe('a reset of a group without members', () => {
  it.each<[string, To, [number, number], number, number]>([
    ['the earliest', 'earliest', [0, 0], 10, 0],
    ['the latest', 'latest', [10, 10], 0, 10],
    ['an offset', { offset: 5 }, [5, 5], 1, 1],
    ['the end as an offset', { offset: 10 }, [10, 10], 0, 10],
    ['a time', { timestamp: BASE + 5 * HOUR }, [5, 5], 1, 1],
    ['a time between two records', { timestamp: BASE + 4.5 * HOUR }, [5, 5], 1, 1],
    ['a time in words', { timestamp: '2026-01-01T03:00:00Z' }, [3, 3], 4, 0],
    ['a time before all', { timestamp: 0 }, [0, 0], 10, 0],
    ['a time after all', { timestamp: '2099-01-01T00:00:00Z' }, [10, 10], 0, 10],
    ['three back', { shift: -3 }, [1, 3], 6, 0],
    ['three on', { shift: 3 }, [7, 9], 0, 6],
    ['nowhere', { shift: 0 }, [4, 6], 0, 0],
    ['further back than there is', { shift: -100 }, [0, 0], 10, 0],
    ['further on than there is', { shift: Number.MAX_SAFE_INTEGER }, [10, 10], 0, 10],
  ])('to %s', async (what, to, offsets, replayed, skipped) => {
    const name = await standing(what.replaceAll(' ', '-'))
    const expected = {
      group: name,
      topic: name,
      replayed,
      skipped,
      offsets: [
        { committed: 4, offset: offsets[0] },
        { committed: 6, offset: offsets[1] },
      ],
    }
    const dry = await groups.reset(name, { topic: name, to, dry_run: true })
    expect(dry).toMatchObject({ ...expected, dry_run: true })
    expect(Object.values(await groups.committed(name))).toEqual([4, 6])
    const done = await groups.reset(name, { topic: name, to })
    expect(done).toEqual({ ...dry, dry_run: false })
    expect(Object.values(await groups.committed(name))).toEqual(offsets)
  })

  it('says of each partition what is read again and what is skipped', async () => {
    const name = await standing('each')
    const { offsets } = await groups.reset(name, { topic: name, to: { offset: 5 } })
    expect(offsets).toEqual([
      { partition: 0, committed: 4, offset: 5, replayed: 0, skipped: 1 },
      { partition: 1, committed: 6, offset: 5, replayed: 1, skipped: 0 },
    ])
  })

  it('moves the partitions it names and no others', async () => {
    const name = await standing('named')
    const done = await groups.reset(name, { topic: name, to: 'earliest', partitions: [1] })
    expect(done.offsets).toMatchObject([{ partition: 1, offset: 0 }])
    expect(Object.values(await groups.committed(name))).toEqual([4, 0])
  })

  it('of a topic it has not read yet sets where it will begin', async () => {
    const name = await standing('other')
    await groups.topic('unread', upTo(5))
    const done = await groups.reset(name, { topic: 'unread', to: { offset: 3 } })
    expect(done).toMatchObject({ replayed: 0, skipped: 3, offsets: [{ committed: null }] })
    const me = await groups.join(name, 'unread', { auto_offset_reset: 'latest' })
    expect(valuesOf(await groups.poll(me))).toEqual([3, 4])
  })

  it('counts nothing that is no longer kept', async () => {
    const name = await standing('cut')
    await moveLogStart(groups.server, name, 7)
    const { offsets } = await groups.reset(name, { topic: name, to: 'earliest' })
    expect(offsets[0]).toEqual({ partition: 0, committed: 4, offset: 7, replayed: 0, skipped: 0 })
  })
})

describe('a reset of a group that is reading', () => {
  it('takes effect with the next poll, and what is in hand can no longer be committed', async () => {
    const name = await standing('live')
    const me = await groups.join(name, name)
    const { positions, ack } = await groups.poll(me)
    await groups.reset(name, { topic: name, to: { offset: 8 } })
    for (const offsets of [positions, [at(name, 0, 9)]]) {
      const answer = await groups.tryCommit(me, offsets)
      await expectProblem(answer, 'illegal_generation', { written: 'no' })
    }
    const received = await groups.tryPoll(me, { commit: 'previous', received: ack })
    await expectProblem(received, 'illegal_generation', { written: 'no' })
    expect(Object.values(await groups.committed(name))).toEqual([8, 8])
    expect(valuesOf(await groups.poll(me)).sort()).toEqual([8, 8, 9, 9])
  })

  it.each(['none', 'previous'] as const)('is taken up by a poll with commit=%s', async (commit) => {
    const name = await standing(`with-${commit}`)
    const me = await groups.join(name, name)
    await groups.poll(me, { max_records: 2 })
    await groups.reset(name, { topic: name, to: { offset: 9 } })
    expect(valuesOf(await groups.poll(me, { commit }))).toEqual([9, 9])
    expect(Object.values(await groups.committed(name))).toEqual([9, 9])
  })

  it('costs no member its partitions', async () => {
    const name = await standing('stays')
    const one = await groups.join(name, name, { member_id: 'one' })
    const two = await groups.join(name, name, { member_id: 'two' })
    const before = await groups.owners(name)
    await groups.poll(one)
    await groups.poll(two)
    await groups.reset(name, { topic: name, to: 'earliest' })
    expect(await groups.owners(name)).toEqual(before)
    for (const member of [one, two]) {
      expect(valuesOf(await groups.poll(member))).toEqual(upTo(10))
    }
  })

  it('wakes those who wait', async () => {
    const name = await standing('wakes')
    await groups.reset(name, { topic: name, to: 'latest' })
    const me = await groups.join(name, name)
    const waiting = groups.poll(me, { max_wait_ms: LONG })
    await groups.poll(me, { max_wait_ms: 50 })
    await groups.reset(name, { topic: name, to: { offset: 9 } })
    const { records } = await waiting
    expect(records.every(({ value }) => value === 9)).toBe(true)
  })

  it('as a dry run is not noticed', async () => {
    const name = await standing('dry')
    const me = await groups.join(name, name)
    await groups.poll(me)
    await groups.reset(name, { topic: name, to: 'earliest', dry_run: true })
    await groups.commit(me, 'delivered')
    expect(Object.values(await groups.committed(name))).toEqual([10, 10])
    expect((await groups.describe(name)).generation_id).toBe(me.generation_id)
  })

  it('of one topic leaves what is in hand of another alone', async () => {
    const [one, two] = [await standing('this-one'), await standing('that-one')]
    const me = await groups.join('both', [one, two])
    await groups.poll(me)
    await groups.reset('both', { topic: one, to: 'earliest' })
    await groups.commit(me, [at(two, 0, 10)])
    expect(await groups.committed('both')).toMatchObject({ [`${two}/0`]: 10, [`${one}/0`]: 0 })
  })

  it('of a caller of next brings it there with its next call but one', async () => {
    const name = await standing('caller')
    const first = await groups.next(name, name)
    await groups.reset(name, { topic: name, to: { offset: 8 } })
    const answer = await groups.tryNext(name, name, { ack: first.ack })
    await expectProblem(answer, 'illegal_generation', { written: 'no' })
    expect(valuesOf(await groups.next(name, name)).sort()).toEqual([8, 8, 9, 9])
  })
})
