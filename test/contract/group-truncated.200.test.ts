import { describe, expect, it } from 'vitest'
import { at, upTo, valuesOf } from '../support/group-calls.ts'
import { moveLogStart } from '../support/log-start.ts'
import { useGroups } from '../support/use-groups.ts'

const groups = useGroups()

const RESETS = [
  { auto_offset_reset: 'earliest', resumed_at: 6, values: [6, 7, 8] },
  { auto_offset_reset: 'latest', resumed_at: 9, values: [] },
] as const

describe.each(RESETS)(
  'a group cut off by retention that goes on at the $auto_offset_reset',
  (how) => {
    const { auto_offset_reset, resumed_at, values } = how
    const nameOf = (noun: string) => `${noun}-${auto_offset_reset}`
    const cutAt = (topic: string, offset: number) => [{ topic, partition: 0, offset, resumed_at }]

    it('is told once, with where it was and where it goes on', async () => {
      const name = await groups.topic(nameOf('told'), upTo(9))
      await groups.set(name, [at(name, 0, 3)])
      const me = await groups.join(name, name, { auto_offset_reset })
      await moveLogStart(groups.server, name, 6)
      const polled = await groups.poll(me, { max_wait_ms: 30_000 })
      expect(polled.truncated).toEqual(cutAt(name, 3))
      expect(valuesOf(polled)).toEqual(values)
      expect(await groups.pollOn(me)).not.toHaveProperty('truncated')
      expect(await groups.committed(name)).toEqual({ [`${name}/0`]: 9 })
    })

    it('is told behind what it was given, where that is what was cut', async () => {
      const name = await groups.topic(nameOf('given'), upTo(9))
      await groups.set(name, [at(name, 0, 0)])
      const me = await groups.join(name, name, { auto_offset_reset })
      await groups.poll(me, { max_records: 2 })
      await moveLogStart(groups.server, name, 6)
      expect((await groups.poll(me)).truncated).toEqual(cutAt(name, 2))
    })

    it('is told at once where it reads on and on with what it received', async () => {
      const name = await groups.topic(nameOf('on-and-on'), upTo(9))
      await groups.set(name, [at(name, 0, 0)])
      const me = await groups.join(name, name, { auto_offset_reset })
      const first = await groups.pollOn(me, { received: me.ack, max_records: 1 })
      const second = await groups.pollOn(me, { received: first.ack, max_records: 1 })
      await moveLogStart(groups.server, name, 6)
      const polled = await groups.pollOn(me, { received: second.ack })
      expect(polled.truncated).toEqual(cutAt(name, 2))
      expect(valuesOf(polled)).toEqual(values)
    })

    it('is told by next, and again where the answer was lost', async () => {
      const name = await groups.topic(nameOf('next'), upTo(9))
      await groups.set(name, [at(name, 0, 2)])
      await moveLogStart(groups.server, name, 6)
      for (let n = 0; n < 2; n++) {
        const answer = await groups.next(name, name, { auto_offset_reset, member_id: 'me' })
        expect(answer.truncated).toEqual(cutAt(name, 2))
        expect(valuesOf(answer)).toEqual(values)
      }
    })

    it('goes on with the other partitions as if nothing had been', async () => {
      const name = await groups.topic(nameOf('others'), upTo(9), upTo(109, 100))
      await groups.set(name, [at(name, 0, 3), at(name, 1, 7)])
      await moveLogStart(groups.server, name, 6)
      const me = await groups.join(name, name, { auto_offset_reset })
      const polled = await groups.poll(me)
      expect(polled.truncated).toEqual(cutAt(name, 3))
      expect(valuesOf(polled).sort()).toEqual([107, 108, ...values].sort())
    })
  },
)

describe('a group that retention has not cut off', () => {
  it('is told nothing, though the log begins where it stands', async () => {
    await groups.topic('edge', upTo(9))
    await groups.set('edge', [at('edge', 0, 6)])
    await moveLogStart(groups.server, 'edge', 6)
    const me = await groups.join('edge', 'edge')
    const polled = await groups.poll(me)
    expect(polled).not.toHaveProperty('truncated')
    expect(valuesOf(polled)).toEqual([6, 7, 8])
  })
})
