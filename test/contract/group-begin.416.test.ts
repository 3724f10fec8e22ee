import { describe, expect, it } from 'vitest'
import { expectProblem } from '../support/answers.ts'
import { at, upTo, valuesOf } from '../support/group-calls.ts'
import { moveLogStart } from '../support/log-start.ts'
import { useGroups } from '../support/use-groups.ts'

const groups = useGroups()

const strict = { auto_offset_reset: 'error' } as const

describe('a group that shall not jump', () => {
  it('and has no offsets is told so by its poll, and goes on when they are set', async () => {
    await groups.topic('none', upTo(5))
    const me = await groups.join('none', 'none', strict)
    const problem = await expectProblem(await groups.tryPoll(me), 'offset_out_of_range')
    expect(problem).toMatchObject({ topic: 'none', partition: 0, log_start_offset: 0 })
    await groups.reset('none', { topic: 'none', to: { offset: 3 } })
    expect(valuesOf(await groups.poll(me))).toEqual([3, 4])
  })

  it('and has offsets goes on from there', async () => {
    await groups.topic('some', upTo(5))
    await groups.set('some', [at('some', 0, 3)])
    const me = await groups.join('some', 'some', strict)
    expect(valuesOf(await groups.poll(me))).toEqual([3, 4])
  })

  it('is told when retention has cut it off, each time, until somebody decides', async () => {
    await groups.topic('cut', upTo(9))
    await groups.set('cut', [at('cut', 0, 3)])
    const me = await groups.join('cut', 'cut', strict)
    await moveLogStart(groups.server, 'cut', 6)
    for (let n = 0; n < 3; n++) {
      const answer = await groups.tryPoll(me, { max_wait_ms: 30_000 })
      const problem = await expectProblem(answer, 'offset_out_of_range')
      expect(problem).toMatchObject({ log_start_offset: 6, high_watermark: 9 })
    }
    expect(await groups.committed('cut')).toEqual({ 'cut/0': 3 })
    await groups.reset('cut', { topic: 'cut', to: 'earliest' })
    expect(valuesOf(await groups.poll(me))).toEqual([6, 7, 8])
  })

  it('is told in the middle of reading', async () => {
    await groups.topic('middle', upTo(9))
    await groups.set('middle', [at('middle', 0, 0)])
    const me = await groups.join('middle', 'middle', strict)
    const first = await groups.pollOn(me, { received: me.ack, max_records: 1 })
    const { ack } = await groups.pollOn(me, { received: first.ack, max_records: 1 })
    await moveLogStart(groups.server, 'middle', 6)
    const answer = await groups.tryPoll(me, { commit: 'previous', received: ack })
    await expectProblem(answer, 'offset_out_of_range')
    expect(await groups.committed('middle')).toEqual({ 'middle/0': 2 })
  })

  it('is told by next as well', async () => {
    await groups.topic('next', upTo(9))
    await groups.set('next', [at('next', 0, 3)])
    await moveLogStart(groups.server, 'next', 6)
    const answer = await groups.tryNext('next', 'next', strict)
    await expectProblem(answer, 'offset_out_of_range')
    expect(await groups.committed('next')).toEqual({ 'next/0': 3 })
  })
})
