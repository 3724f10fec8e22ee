import { describe, expect, it } from 'vitest'
import { at, upTo, valuesOf } from '../support/group-calls.ts'
import { useGroups } from '../support/use-groups.ts'

const groups = useGroups()

/** A member that was given five records of each of two partitions. */
async function given(name: string) {
  await groups.topic(name, upTo(5), upTo(5))
  const me = await groups.join(name, name)
  await groups.poll(me)
  return me
}

describe('a commit', () => {
  it('of offsets says them, and the group goes on from there', async () => {
    const me = await given('named')
    const offsets = [at('named', 1, 3), at('named', 0, 5)]
    expect(await groups.commit(me, offsets)).toEqual({ group: 'named', offsets })
    expect(await groups.committed('named')).toEqual({ 'named/0': 5, 'named/1': 3 })
    await groups.leave(me)
    const next = await groups.join('named', 'named')
    expect(valuesOf(await groups.poll(next))).toEqual([3, 4])
  })

  it('of all that was delivered commits that', async () => {
    const me = await given('delivered')
    const offsets = [at('delivered', 0, 5), at('delivered', 1, 5)]
    expect(await groups.commit(me, 'delivered')).toEqual({ group: 'delivered', offsets })
    expect(await groups.commit(me, 'delivered')).toEqual({ group: 'delivered', offsets: [] })
    expect(await groups.committed('delivered')).toEqual({ 'delivered/0': 5, 'delivered/1': 5 })
  })

  it('of less than was delivered moves no one back who reads on', async () => {
    const me = await given('partly')
    await groups.commit(me, [at('partly', 0, 2)])
    await groups.produce('partly', [{ value: 'news', partition: 0 }])
    expect(valuesOf(await groups.poll(me))).toEqual(['news'])
  })

  it('lower than what is committed changes nothing', async () => {
    const me = await given('lower')
    await groups.commit(me, [at('lower', 0, 4)])
    const before = (await groups.describe('lower')).partitions[0]!
    for (const offset of [3, 0, 4]) await groups.commit(me, [at('lower', 0, offset)])
    const after = (await groups.describe('lower')).partitions[0]!
    expect(after).toMatchObject({ committed: 4, committed_at: before.committed_at })
  })

  it('of nothing but the beginning is one', async () => {
    await groups.topic('zero', ['a'])
    const me = await groups.join('zero', 'zero')
    await groups.commit(me, [at('zero', 0, 0)])
    expect(await groups.committed('zero')).toEqual({ 'zero/0': 0 })
    expect(valuesOf(await groups.poll(me))).toEqual(['a'])
  })

  it('sent twice is one commit', async () => {
    const me = await given('repeated')
    const offsets = [at('repeated', 0, 5), at('repeated', 1, 2)]
    for (let n = 0; n < 3; n++) expect(await groups.commit(me, offsets)).toMatchObject({ offsets })
    expect(await groups.committed('repeated')).toEqual({ 'repeated/0': 5, 'repeated/1': 2 })
  })

  it('by many at once of one member leaves the highest', async () => {
    const me = await given('at-once')
    await Promise.all(upTo(6).map((n) => groups.commit(me, [at('at-once', 0, n)])))
    expect(await groups.committed('at-once')).toMatchObject({ 'at-once/0': 5 })
  })

  it('in a later generation counts for what was kept since', async () => {
    await groups.topic('since', upTo(3), upTo(3))
    const me = await groups.join('since', 'since', { member_id: 'me' })
    const { positions } = await groups.poll(me)
    const other = await groups.join('since', 'since')
    expect(other.generation_id).toBeGreaterThan(me.generation_id)
    expect(await groups.commit(me, positions)).toMatchObject({ offsets: positions })
  })
})
