import { describe, expect, it } from 'vitest'
import { LONG, placeOf, valuesOf } from '../support/group-calls.ts'
import { useGroups } from '../support/use-groups.ts'

const groups = useGroups()

/** Polls until a number of records has come; what is done is committed by the way. */
async function read(member: { group: string; member_id: string }, count: number) {
  const places: string[] = []
  while (places.length < count) {
    const { records } = await groups.pollOn(member, { max_wait_ms: LONG })
    places.push(...records.map((one) => `${placeOf(one)} ${one.value as string}`))
  }
  return places
}

describe.each(['earliest', 'latest'] as const)(
  'a group that begins at the %s',
  (auto_offset_reset) => {
    const nameOf = (noun: string) => `${noun}-${auto_offset_reset}`

    it('reads partitions that are added, from their beginning', async () => {
      const name = await groups.topic(nameOf('grown'), [])
      const member = await groups.join(name, name, { auto_offset_reset })
      await groups.poll(member)
      await groups.grow(name, 3)
      await groups.produce(name, [
        { value: 'x', partition: 2 },
        { value: 'y', partition: 1 },
        { value: 'z', partition: 2 },
      ])
      const expected = [`${name}/1 y`, `${name}/2 x`, `${name}/2 z`]
      expect((await read(member, 3)).sort()).toEqual(expected)
    })

    it('shares them among its members', async () => {
      const name = await groups.topic(nameOf('spread'), [])
      const one = await groups.join(name, name, { auto_offset_reset })
      const two = await groups.join(name, name, { auto_offset_reset })
      await groups.grow(name, 4)
      await groups.produce(name, [
        { value: 'x', partition: 1 },
        { value: 'y', partition: 2 },
        { value: 'z', partition: 3 },
      ])
      const both = await Promise.all([read(one, 1), read(two, 2)])
      expect(
        both
          .flat()
          .map((place) => place.slice(-1))
          .sort(),
      ).toEqual(['x', 'y', 'z'])
    })
  },
)

describe('a group that wants all topics of some beginning', () => {
  it('reads those there are, and no others', async () => {
    await groups.topic('ord-a', ['a'])
    await groups.topic('ord-b', ['b'])
    await groups.topic('other', ['c'])
    await groups.topic('or', ['d'])
    const member = await groups.join('prefixed', 'ord*')
    expect(member.assignment).toEqual([
      { topic: 'ord-a', partitions: [0] },
      { topic: 'ord-b', partitions: [0] },
    ])
    expect(valuesOf(await groups.poll(member)).sort()).toEqual(['a', 'b'])
  })

  it('of none may wait for the first', async () => {
    const member = await groups.join('first-of', 'first-of-*')
    expect(member.assignment).toEqual([])
    const reading = read(member, 1)
    await groups.topic('first-of-them', ['here'])
    expect(await reading).toEqual(['first-of-them/0 here'])
  })

  it('reads a topic that comes later, and one that comes by producing', async () => {
    await groups.topic('later-a', ['a'])
    const member = await groups.join('later', 'later-*')
    expect(await read(member, 1)).toEqual(['later-a/0 a'])
    const reading = read(member, 2)
    await groups.topic('later-b', ['b'])
    await fetch(`${groups.url}/t/later-c`, { method: 'POST', body: 'c' })
    expect((await reading).sort()).toEqual(['later-b/0 b', 'later-c/0 c'])
  })

  it('names a topic twice and reads it once', async () => {
    await groups.topic('twice-a', ['a'])
    const member = await groups.join('twice', ['twice-a', 'twice-*', 'twice-a'])
    expect(member.assignment).toEqual([{ topic: 'twice-a', partitions: [0] }])
    expect(valuesOf(await groups.poll(member))).toEqual(['a'])
  })

  it('takes signs of patterns as they are', async () => {
    await groups.topic('a.b_1', ['dot'])
    await groups.topic('aXb_1', ['x'])
    await groups.topic('a.bX1', ['underscore'])
    const member = await groups.join('signs', 'a.b_*')
    expect(valuesOf(await groups.poll(member))).toEqual(['dot'])
  })
})
