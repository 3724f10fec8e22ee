import { describe, expect, it } from 'vitest'
import { placeOf, upTo } from '../support/group-calls.ts'
import { useGroups } from '../support/use-groups.ts'

const groups = useGroups()

/** The places of the first records of so many polls by each of these. */
async function placesOf(members: { group: string; member_id: string }[], polls: number) {
  const places = new Set<string>()
  for (let n = 0; n < polls; n++) {
    for (const me of members) {
      const { records } = await groups.pollOn(me, { max_records: 1 })
      for (const one of records) places.add(placeOf(one))
    }
  }
  return places
}

describe('no partition of a member starves behind another that always has more', () => {
  it('with one member', async () => {
    await groups.topic('one', upTo(30), upTo(30), upTo(30), upTo(30))
    expect((await placesOf([await groups.join('one', 'one')], 8)).size).toBe(4)
  })

  it.each([2, 3, 4])('with %i members that poll in turn', async (count) => {
    const name = `turns-${String(count)}`
    await groups.topic(name, ...upTo(count * 2).map(() => upTo(30)))
    const members = []
    for (let n = 0; n < count; n++) members.push(await groups.join(name, name))
    expect((await placesOf(members, 8)).size).toBe(count * 2)
  })

  it('with members of other groups that poll in between', async () => {
    await groups.topic('others', upTo(30), upTo(30))
    const [one, two] = [await groups.join('o-1', 'others'), await groups.join('o-2', 'others')]
    const places = new Set<string>()
    for (let n = 0; n < 6; n++) {
      const { records } = await groups.poll(one, { max_records: 1 })
      for (const record of records) places.add(placeOf(record))
      await groups.poll(two, { max_records: 1 })
    }
    expect(places.size).toBe(2)
  })

  it('where one partition’s records are so large that each fills an answer', async () => {
    const large = 'x'.repeat(2_000)
    await groups.topic('large', Array(20).fill(large), upTo(5))
    const me = await groups.join('large', 'large')
    const small: unknown[] = []
    for (let n = 0; n < 12; n++) {
      const { records } = await groups.poll(me, { max_bytes: 1_500 })
      small.push(...records.filter(({ partition }) => partition === 1))
    }
    expect(small).toHaveLength(5)
  })
})
