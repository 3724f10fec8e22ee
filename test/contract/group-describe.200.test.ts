import { describe, expect, it } from 'vitest'
import { at, placeOf, upTo } from '../support/group-calls.ts'
import { moveLogStart } from '../support/log-start.ts'
import { useGroups } from '../support/use-groups.ts'
import { until } from '../support/within.ts'

const groups = useGroups()

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

describe('a group', () => {
  it('says who reads what', async () => {
    await groups.topic('whole', [], [])
    const me = await groups.join('whole', ['whole', 'who*'], { session_timeout_ms: 30_000 })
    const found = await groups.describe('whole')
    expect(found).toMatchObject({
      group: 'whole',
      state: 'stable',
      generation_id: me.generation_id,
      assignor: 'cooperative_sticky',
      created_at: expect.stringMatching(ISO),
    })
    expect(found.members).toEqual([
      {
        member_id: me.member_id,
        client: '127.0.0.1',
        topics: ['whole', 'who*'],
        session_timeout_ms: 30_000,
        joined_at: expect.stringMatching(ISO),
        seen_at: expect.stringMatching(ISO),
        assignment: me.assignment,
      },
    ])
  })

  it('says how far each partition is behind, and the group as a whole', async () => {
    await groups.topic('lag', upTo(10), upTo(4), [])
    const me = await groups.join('lag', 'lag')
    await groups.poll(me, { max_records: 14 })
    await groups.commit(me, [at('lag', 0, 7)])
    const { lag, lag_ms, partitions } = await groups.describe('lag')
    const rows = partitions.map((one) => [placeOf(one), one.committed, one.high_watermark, one.lag])
    expect(rows).toEqual([
      ['lag/0', 7, 10, 3],
      ['lag/1', null, 4, 4],
      ['lag/2', null, 0, 0],
    ])
    expect(lag).toBe(7)
    expect(lag_ms).toBe(Math.max(...partitions.map((one) => one.lag_ms)))
    expect(partitions.map(({ committed_at }) => committed_at)).toEqual([
      expect.stringMatching(ISO),
      null,
      null,
    ])
  })

  it('says for how long the first record that is not committed has been there', async () => {
    await groups.topic('age', ['old'])
    const me = await groups.join('age', 'age')
    const age = async () => (await groups.describe('age')).lag_ms
    await until(async () => (await age()) > 500)
    await groups.produce('age', [{ value: 'young' }])
    expect(await age()).toBeGreaterThan(500)
    await groups.poll(me)
    await groups.commit(me, [at('age', 0, 1)])
    expect(await age()).toBeLessThan(500)
    await groups.commit(me, [at('age', 0, 2)])
    expect(await groups.describe('age')).toMatchObject({ lag: 0, lag_ms: 0 })
  })

  it('does not count what is no longer kept', async () => {
    await groups.topic('cut', upTo(10))
    await groups.set('cut', [at('cut', 0, 2)])
    await moveLogStart(groups.server, 'cut', 7)
    expect((await groups.describe('cut')).partitions).toMatchObject([
      { committed: 2, log_start_offset: 7, high_watermark: 10, lag: 3 },
    ])
  })

  it('is empty when its members have left, and keeps its offsets', async () => {
    await groups.topic('left', upTo(3))
    const me = await groups.join('left', 'left')
    await groups.poll(me)
    await groups.commit(me, 'delivered')
    await groups.leave(me)
    const found = await groups.describe('left')
    expect(found).toMatchObject({ state: 'empty', members: [] })
    expect(found.partitions).toMatchObject([{ committed: 3, member_id: null }])
  })

  it('is empty when the last session is over, though nobody calls any more', async () => {
    await groups.topic('over', [])
    await groups.join('over', 'over', { session_timeout_ms: 1_000 })
    await until(async () => (await groups.describe('over')).state === 'empty')
    expect((await groups.describe('over')).members).toEqual([])
  })

  it('of members of several topics has them in order', async () => {
    for (const name of ['order-c', 'order-a', 'order-b']) await groups.topic(name, [], [])
    await groups.join('order', 'order-*')
    expect((await groups.describe('order')).partitions.map(placeOf)).toEqual([
      'order-a/0',
      'order-a/1',
      'order-b/0',
      'order-b/1',
      'order-c/0',
      'order-c/1',
    ])
  })
})
