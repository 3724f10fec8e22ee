import { describe, expect, it } from 'vitest'
import { at, sizeOf, upTo, valuesOf } from '../support/group-calls.ts'
import { useGroups } from '../support/use-groups.ts'
import { until } from '../support/within.ts'

const groups = useGroups()

describe('joining a group', () => {
  it('creates it, and the answer holds all that a reader needs', async () => {
    await groups.topic('first', [1], [2])
    const joined = await groups.join('first', 'first')
    expect(joined).toEqual({
      group: 'first',
      member_id: expect.stringMatching(/^[A-Za-z0-9._-]+$/),
      generation_id: expect.any(Number),
      assignment: [{ topic: 'first', partitions: [0, 1] }],
      session_timeout_ms: 45_000,
      ack: expect.stringContaining(joined.member_id),
    })
    expect(valuesOf(await groups.poll(joined)).sort()).toEqual([1, 2])
  })

  it('says where the member is, and leaving makes the others whole again', async () => {
    await groups.topic('left', [], [])
    const response = await groups.tryJoin('left', 'left', { member_id: 'here' })
    expect(response.headers.get('location')).toBe('/v1/groups/left/members/here')
    const other = await groups.join('left', 'left')
    await groups.leave({ group: 'left', member_id: 'here' })
    const { assignment } = await groups.poll(other)
    expect(assignment).toEqual([{ topic: 'left', partitions: [0, 1] }])
  })

  it('takes several topics, of which each member gets its share', async () => {
    await groups.topic('several-a', [], [])
    await groups.topic('several-b', [], [])
    const [one, two] = [
      await groups.join('several', ['several-a', 'several-b']),
      await groups.join('several', ['several-a', 'several-b']),
    ]
    const kept = await groups.poll(one)
    expect([sizeOf(kept.assignment), sizeOf(two.assignment)]).toEqual([2, 2])
  })

  it('with more members than partitions leaves some waiting, who step in at once', async () => {
    await groups.topic('spare', ['a'])
    const [one, spare] = [await groups.join('spare', 'spare'), await groups.join('spare', 'spare')]
    expect(spare.assignment).toEqual([])
    const waiting = groups.poll(spare, { max_wait_ms: 20_000 })
    await groups.leave(one)
    let polled = await waiting
    while (polled.records.length === 0) polled = await groups.poll(spare, { max_wait_ms: 20_000 })
    expect(valuesOf(polled)).toEqual(['a'])
  })

  it('gives each of a hundred who come at once a share, without overlap', async () => {
    await groups.topic('crowd', ...upTo(20).map(() => []))
    await Promise.all(upTo(100).map((n) => groups.join('crowd', 'crowd', { member_id: `m${n}` })))
    const owners = await groups.owners('crowd')
    expect(new Set(Object.values(owners)).size).toBe(20)
    expect(Object.values(owners)).not.toContain(null)
  })

  it('by members of different topics gives each its own', async () => {
    await groups.topic('mixed-a', [], [])
    await groups.topic('mixed-b', [], [])
    const [a, b] = [await groups.join('mixed', 'mixed-a'), await groups.join('mixed', 'mixed-b')]
    expect(b.assignment).toEqual([{ topic: 'mixed-b', partitions: [0, 1] }])
    expect((await groups.poll(a)).assignment).toEqual([{ topic: 'mixed-a', partitions: [0, 1] }])
  })

  it.each(['cooperative_sticky', 'range', 'round_robin'] as const)('as %s', async (assignor) => {
    await groups.topic(`by-${assignor}`, [], [], [], [])
    const join = () => groups.join(assignor, `by-${assignor}`, { assignor })
    const [one, two] = [await join(), await join()]
    expect(sizeOf(two.assignment)).toBe(2)
    expect(sizeOf((await groups.poll(one)).assignment)).toBe(2)
    expect((await groups.describe(assignor)).assignor).toBe(assignor)
  })

  it('of one group leaves another with the same topic alone', async () => {
    await groups.topic('shared', ['x'])
    const [one, two] = [await groups.join('this', 'shared'), await groups.join('that', 'shared')]
    expect(valuesOf(await groups.poll(one))).toEqual(['x'])
    expect(valuesOf(await groups.poll(two))).toEqual(['x'])
    await groups.commit(one, 'delivered')
    expect(await groups.committed('that')).toEqual({ 'shared/0': null })
  })
})

describe('a change of what is wanted', () => {
  it('comes with joining again under the same name', async () => {
    await groups.topic('wanted-a', ['a'])
    await groups.topic('wanted-b', ['b'])
    await groups.join('wanted', 'wanted-a', { member_id: 'me' })
    const again = await groups.join('wanted', 'wanted-b', { member_id: 'me' })
    expect(again.assignment).toEqual([{ topic: 'wanted-b', partitions: [0] }])
    expect(valuesOf(await groups.poll(again))).toEqual(['b'])
  })

  it('keeps what was committed for a topic that is left and taken up again', async () => {
    await groups.topic('back-a', ['a', 'b'])
    await groups.topic('back-b', [])
    const me = await groups.join('back', 'back-a', { member_id: 'me' })
    await groups.poll(me, { max_records: 1 })
    await groups.commit(me, [at('back-a', 0, 1)])
    await groups.join('back', 'back-b', { member_id: 'me' })
    const again = await groups.join('back', 'back-a', { member_id: 'me' })
    expect(valuesOf(await groups.poll(again))).toEqual(['b'])
  })
})

describe('a deleted topic', () => {
  it('that is made again is read from its beginning, whatever was committed of the old one', async () => {
    await groups.topic('remade', ['old', 'older'])
    const me = await groups.join('remade', 'remade*')
    await groups.poll(me)
    await groups.commit(me, 'delivered')
    await fetch(`${groups.url}/v1/topics/remade`, { method: 'DELETE' })
    await groups.topic('remade', ['new'])
    let values: unknown[] = []
    await until(async () => (values = valuesOf(await groups.poll(me))).length > 0)
    expect(values).toEqual(['new'])
  })

  it('leaves the others of the group as they are', async () => {
    await groups.topic('doomed', ['x'])
    await groups.topic('lasting', ['y', 'z'])
    const me = await groups.join('deletion', ['doomed', 'lasting'])
    await groups.poll(me)
    await groups.commit(me, [at('lasting', 0, 1)])
    await fetch(`${groups.url}/v1/topics/doomed`, { method: 'DELETE' })
    expect(await groups.committed('deletion')).toEqual({ 'lasting/0': 1 })
    expect(await groups.commit(me, 'delivered')).toMatchObject({ offsets: [{ offset: 2 }] })
    expect(valuesOf(await groups.poll(me))).toEqual([])
  })
})
