import { describe, expect, it } from 'vitest'
import { expectProblem } from '../support/answers.ts'
import { at, upTo, valuesOf } from '../support/group-calls.ts'
import { useGroups } from '../support/use-groups.ts'
import { until } from '../support/within.ts'

const groups = useGroups()

describe('a commit of a partition that is not the member’s', () => {
  it('is refused, and what stands beside it is not committed either', async () => {
    await groups.topic('split', upTo(5), upTo(5))
    const one = await groups.join('split', 'split')
    const two = await groups.join('split', 'split')
    const [mine] = (await groups.poll(one)).assignment![0]!.partitions
    const both = [at('split', mine!, 5), at('split', 1 - mine!, 5)]
    for (const offsets of [both, [...both].reverse()]) {
      const answer = await groups.tryCommit(one, offsets)
      await expectProblem(answer, 'illegal_generation', { written: 'no' })
    }
    expect(await groups.committed('split')).toEqual({ 'split/0': null, 'split/1': null })
    expect(await groups.commit(one, 'delivered')).toMatchObject({ offsets: [{ partition: mine }] })
    expect(valuesOf(await groups.poll(two))).toEqual(upTo(5))
  })

  it('is refused for a topic nobody subscribed to', async () => {
    await groups.topic('mine', ['a'])
    await groups.topic('theirs', ['b'])
    const me = await groups.join('strange', 'mine')
    await groups.poll(me)
    const answer = await groups.tryCommit(me, [at('mine', 0, 1), at('theirs', 0, 1)])
    await expectProblem(answer, 'illegal_generation', { written: 'no' })
    expect(await groups.committed('strange')).toEqual({ 'mine/0': null })
  })

  it('is refused for partitions that nobody has yet', async () => {
    await groups.topic('early', ['a'])
    const me = await groups.join('early', 'early')
    await groups.poll(me)
    await groups.grow('early', 2)
    const answer = await groups.tryCommit(me, [at('early', 0, 1), at('early', 1, 0)])
    // It may have come to the member meanwhile; then the beginning is a fair thing to commit.
    if (!answer.ok) await expectProblem(answer, 'illegal_generation', { written: 'no' })
  })
})

describe('a commit of one that is no member', () => {
  it('is refused after it has left, and after its session', async () => {
    await groups.topic('gone', upTo(5))
    const me = await groups.join('gone', 'gone', { session_timeout_ms: 1_000 })
    await groups.poll(me)
    const watcher = await groups.join('gone', 'gone')
    await until(async () => (await groups.poll(watcher, { max_wait_ms: 500 })).records.length > 0)
    for (const offsets of ['delivered' as const, [at('gone', 0, 1)]]) {
      const answer = await groups.tryCommit(me, offsets)
      await expectProblem(answer, 'illegal_generation', { written: 'no' })
    }
    expect(await groups.committed('gone')).toEqual({ 'gone/0': null })
  })

  it('is refused of a group that is not there, which does not come of it', async () => {
    await groups.topic('nowhere', ['a'])
    const nobody = { group: 'nowhere', member_id: 'nobody', generation_id: 1 }
    const answer = await groups.tryCommit(nobody, [at('nowhere', 0, 0)])
    await expectProblem(answer, 'illegal_generation', { written: 'no' })
    expect((await fetch(`${groups.url}/v1/groups/nowhere`)).status).toBe(404)
  })

  it('is refused with a generation that is yet to come', async () => {
    await groups.topic('future', ['a'])
    const me = await groups.join('future', 'future')
    await groups.poll(me)
    const generation_id = me.generation_id + 1
    const answer = await groups.tryCommit({ ...me, generation_id }, [at('future', 0, 1)])
    await expectProblem(answer, 'illegal_generation', { written: 'no' })
  })
})

describe('offsets set by hand', () => {
  it('are refused while members live, and taken when they have left', async () => {
    await groups.topic('busy', upTo(5))
    const me = await groups.join('busy', 'busy')
    const offsets = [at('busy', 0, 3)]
    await expectProblem(await groups.trySet('busy', offsets), 'non_empty_group', { written: 'no' })
    expect(await groups.committed('busy')).toEqual({ 'busy/0': null })
    await groups.leave(me)
    await groups.set('busy', offsets)
    expect(valuesOf(await groups.poll(await groups.join('busy', 'busy')))).toEqual([3, 4])
  })

  it('are taken when the last session is over', async () => {
    await groups.topic('over', upTo(5))
    await groups.join('over', 'over', { session_timeout_ms: 1_000 })
    const offsets = [at('over', 0, 3)]
    await expectProblem(await groups.trySet('over', offsets), 'non_empty_group')
    await until(async () => (await groups.trySet('over', offsets)).ok)
    expect(await groups.committed('over')).toEqual({ 'over/0': 3 })
  })
})
