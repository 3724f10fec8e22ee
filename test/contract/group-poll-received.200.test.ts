import { describe, expect, it } from 'vitest'
import { at, upTo, valuesOf, type Caller } from '../support/group-calls.ts'
import { useGroups } from '../support/use-groups.ts'

const groups = useGroups()

const receive = (me: Caller, received: string, max_records = 2) =>
  groups.pollOn(me, { received, max_records })

describe('a poll that says what arrived', () => {
  it('commits that and no more, and brings the lost answer again', async () => {
    await groups.topic('lost', ['a', 'b', 'c', 'd', 'e'])
    const me = await groups.join('lost', 'lost')
    const first = await groups.pollOn(me, { max_records: 2 })
    const lost = await receive(me, first.ack)
    expect(valuesOf(lost)).toEqual(['c', 'd'])
    expect(valuesOf(await receive(me, first.ack))).toEqual(['c', 'd'])
    expect(await groups.committed('lost')).toEqual({ 'lost/0': 2 })
  })

  it('goes on where nothing was lost', async () => {
    await groups.topic('whole', upTo(20), upTo(20))
    const me = await groups.join('whole', 'whole')
    let last = await groups.pollOn(me, { max_records: 3 })
    const values = valuesOf(last)
    while (last.records.length > 0) {
      last = await receive(me, last.ack, 3)
      values.push(...valuesOf(last))
    }
    expect(values).toHaveLength(40)
    expect(await groups.committed('whole')).toEqual({ 'whole/0': 20, 'whole/1': 20 })
  })

  it('commits nothing where it does not ask for that, and brings the lost answer all the same', async () => {
    await groups.topic('kept', ['a', 'b', 'c'])
    const me = await groups.join('kept', 'kept')
    const first = await groups.poll(me, { max_records: 1 })
    await groups.poll(me, { max_records: 1 })
    expect(valuesOf(await groups.poll(me, { received: first.ack }))).toEqual(['b', 'c'])
    expect(await groups.committed('kept')).toEqual({ 'kept/0': null })
  })

  it('of a first answer that was lost begins anew', async () => {
    await groups.topic('first', ['a', 'b'])
    const me = await groups.join('first', 'first')
    const empty = await groups.poll(me, { max_records: 1 })
    expect(valuesOf(empty)).toEqual(['a'])
    const received = me.ack
    expect(valuesOf(await groups.pollOn(me, { received }))).toEqual(['a', 'b'])
    expect(await groups.committed('first')).toEqual({ 'first/0': null })
  })

  it('with an old ack loses nothing and commits nothing twice', async () => {
    await groups.topic('old', ['a', 'b', 'c', 'd'])
    const me = await groups.join('old', 'old')
    const first = await groups.pollOn(me, { max_records: 1 })
    const second = await receive(me, first.ack, 1)
    await receive(me, second.ack, 1)
    expect(await groups.committed('old')).toEqual({ 'old/0': 2 })
    expect(valuesOf(await receive(me, first.ack, 4))).toEqual(['c', 'd'])
    expect(await groups.committed('old')).toEqual({ 'old/0': 2 })
  })

  it('beside explicit commits reads on behind the higher of both', async () => {
    await groups.topic('both', ['a', 'b', 'c', 'd'])
    const me = await groups.join('both', 'both')
    const first = await groups.poll(me, { max_records: 1 })
    await groups.poll(me, { max_records: 2 })
    await groups.commit(me, [at('both', 0, 2)])
    expect(valuesOf(await groups.poll(me, { received: first.ack }))).toEqual(['c', 'd'])
  })

  it('goes through any number of lost answers with each record processed, and no gap', async () => {
    await groups.topic('lossy', upTo(30), upTo(60, 30))
    const me = await groups.join('lossy', 'lossy')
    let received = me.ack
    const processed = new Set<unknown>()
    for (let n = 0; processed.size < 60; n++) {
      const answer = await groups.pollOn(me, { received, max_records: 4 })
      if (n % 3 === 1) continue
      for (const value of valuesOf(answer)) processed.add(value)
      received = answer.ack
    }
    await groups.pollOn(me, { received })
    expect(await groups.committed('lossy')).toEqual({ 'lossy/0': 30, 'lossy/1': 30 })
  })
})
