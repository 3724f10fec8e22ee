import { describe, expect, it } from 'vitest'
import { at, upTo, valuesOf } from '../support/group-calls.ts'
import { useGroups } from '../support/use-groups.ts'

const groups = useGroups()

describe('offsets of a group without members', () => {
  it('make the group, and are where its first member begins', async () => {
    await groups.topic('set', upTo(5), upTo(5))
    const offsets = [at('set', 0, 4), at('set', 1, 5)]
    expect(await groups.set('set', offsets)).toEqual({ group: 'set', offsets })
    expect(await groups.describe('set')).toMatchObject({ state: 'empty', members: [], lag: 1 })
    const me = await groups.join('set', 'set', { auto_offset_reset: 'latest' })
    expect(valuesOf(await groups.poll(me))).toEqual([4])
  })

  it('may go back and forth', async () => {
    await groups.topic('back', upTo(5))
    for (const offset of [5, 0, 3, 1]) {
      await groups.set('back', [at('back', 0, offset)])
      expect(await groups.committed('back')).toEqual({ 'back/0': offset })
    }
  })

  it('of several topics are set together', async () => {
    await groups.topic('a', upTo(5))
    await groups.topic('b', upTo(5))
    await groups.set('together', [at('b', 0, 2), at('a', 0, 3)])
    expect(await groups.committed('together')).toEqual({ 'a/0': 3, 'b/0': 2 })
  })

  it('are kept beside those that members commit', async () => {
    await groups.topic('mixed', upTo(5), upTo(5))
    await groups.set('mixed', [at('mixed', 0, 3)])
    const me = await groups.join('mixed', 'mixed')
    expect(valuesOf(await groups.poll(me)).sort()).toEqual([0, 1, 2, 3, 3, 4, 4])
    await groups.commit(me, 'delivered')
    await groups.leave(me)
    await groups.set('mixed', [at('mixed', 1, 1)])
    expect(await groups.committed('mixed')).toEqual({ 'mixed/0': 5, 'mixed/1': 1 })
  })

  it('set by many at once are one of them', async () => {
    await groups.topic('race', upTo(9))
    await Promise.all(upTo(8).map((n) => groups.set('race', [at('race', 0, n)])))
    expect((await groups.committed('race'))['race/0']).toBeLessThan(8)
  })
})
