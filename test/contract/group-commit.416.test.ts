import { describe, expect, it } from 'vitest'
import { expectProblem } from '../support/answers.ts'
import { at, upTo, valuesOf } from '../support/group-calls.ts'
import { moveLogStart } from '../support/log-start.ts'
import { useGroups } from '../support/use-groups.ts'

const groups = useGroups()

describe('a commit of an offset that cannot be', () => {
  it.each([
    ['behind what was delivered', 4],
    ['at the end, where less was delivered', 5],
    ['behind the end', 6],
    ['far behind the end', Number.MAX_SAFE_INTEGER],
  ])('%s is refused, and the group goes on', async (_, offset) => {
    const name = await groups.topic(`to-${String(offset)}`, upTo(5))
    const me = await groups.join(name, name)
    await groups.poll(me, { max_records: 3 })
    await groups.commit(me, [at(name, 0, 1)])
    const answer = await groups.tryCommit(me, [at(name, 0, offset)])
    await expectProblem(answer, 'offset_out_of_range', { written: 'no' })
    expect(await groups.committed(name)).toEqual({ [`${name}/0`]: 1 })
    expect(valuesOf(await groups.poll(me))).toEqual([3, 4])
    await groups.commit(me, [at(name, 0, 5)])
  })

  it('of a partition nothing was delivered of is refused', async () => {
    await groups.topic('nothing', upTo(5))
    const me = await groups.join('nothing', 'nothing')
    const answer = await groups.tryCommit(me, [at('nothing', 0, 1)])
    await expectProblem(answer, 'offset_out_of_range', { written: 'no' })
    expect(valuesOf(await groups.poll(me))).toEqual(upTo(5))
  })

  it('before the beginning of the log is refused', async () => {
    await groups.topic('cut', upTo(10))
    const me = await groups.join('cut', 'cut')
    await groups.poll(me)
    await moveLogStart(groups.server, 'cut', 6)
    const answer = await groups.tryCommit(me, [at('cut', 0, 5)])
    await expectProblem(answer, 'offset_out_of_range', { written: 'no' })
    expect(await groups.committed('cut')).toEqual({ 'cut/0': null })
    await groups.commit(me, [at('cut', 0, 6)])
    await groups.commit(me, 'delivered')
    expect(await groups.committed('cut')).toEqual({ 'cut/0': 10 })
  })

  it('of all that was delivered is none, though the log begins behind it by now', async () => {
    await groups.topic('cut-later', upTo(5))
    const me = await groups.join('cut-later', 'cut-later')
    await groups.poll(me)
    await groups.produce(
      'cut-later',
      upTo(10, 5).map((value) => ({ value })),
    )
    await moveLogStart(groups.server, 'cut-later', 8)
    await groups.commit(me, 'delivered')
    const { records } = await groups.pollOn(me)
    expect(records.map(({ offset }) => offset)).toEqual([8, 9])
  })

  it('while the partition waits to go to another member is refused, and it stays', async () => {
    await groups.topic('going', upTo(5), upTo(5))
    const owner = await groups.join('going', 'going', { member_id: 'owner' })
    await groups.poll(owner)
    await groups.produce('going', [
      { value: 5, partition: 0 },
      { value: 5, partition: 1 },
    ])
    await groups.join('going', 'going', { member_id: 'heir' })
    for (const partition of [0, 1]) {
      const answer = await groups.tryCommit(owner, [at('going', partition, 6)])
      await expectProblem(answer, 'offset_out_of_range', { written: 'no' })
    }
    expect(Object.values(await groups.owners('going'))).toEqual(['owner', 'owner'])
    await groups.commit(owner, [at('going', 0, 5), at('going', 1, 5)])
    expect(Object.values(await groups.owners('going')).sort()).toEqual(['heir', 'owner'])
  })

  it('among several leaves all of them as they were', async () => {
    await groups.topic('several', upTo(3), upTo(3), upTo(3))
    const me = await groups.join('several', 'several')
    await groups.poll(me)
    const offsets = [at('several', 0, 3), at('several', 1, 4), at('several', 2, 3)]
    await expectProblem(await groups.tryCommit(me, offsets), 'offset_out_of_range')
    const committed = Object.values(await groups.committed('several'))
    expect(committed).toEqual([null, null, null])
  })

  it('by hand is refused with the bounds of the log', async () => {
    await groups.topic('by-hand', upTo(10))
    await moveLogStart(groups.server, 'by-hand', 4)
    for (const offset of [3, 11]) {
      const answer = await groups.trySet('by-hand', [at('by-hand', 0, offset)])
      const problem = await expectProblem(answer, 'offset_out_of_range', { written: 'no' })
      expect(problem).toMatchObject({ log_start_offset: 4, high_watermark: 10 })
    }
    expect((await fetch(`${groups.url}/v1/groups/by-hand`)).status).toBe(404)
    for (const offset of [4, 10]) await groups.set('by-hand', [at('by-hand', 0, offset)])
  })
})
