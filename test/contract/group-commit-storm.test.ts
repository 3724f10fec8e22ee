import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { at, upTo, type Caller } from '../support/group-calls.ts'
import { moveLogStart } from '../support/log-start.ts'
import { useGroups } from '../support/use-groups.ts'

/** Two members of a topic whose log begins at 4; each was given up to 8 of 10, and has committed 6. */
const BEGINNING = 4
const COMMITTED = 6
const DELIVERED = 8

const groups = useGroups()
let members: Caller[]
beforeAll(async () => {
  await groups.topic('t', upTo(10), upTo(10))
  await groups.topic('other', upTo(10))
  await moveLogStart(groups.server, 't', BEGINNING)
  const joined = [await groups.join('g', 't', { assignor: 'range', member_id: 'm0' })]
  joined.push(await groups.join('g', 't', { assignor: 'range', member_id: 'm1' }))
  members = joined.map((one) => ({ ...one, generation_id: joined[1]!.generation_id }))
  await groups.poll(members[0]!, { max_records: DELIVERED - BEGINNING })
  await groups.poll(members[1]!, { max_records: DELIVERED })
  for (const [n, member] of members.entries()) await groups.commit(member, [at('t', n, COMMITTED)])
})

/** Offsets that no one may commit; of the first partition, also those before its log. */
const impossible = fc.oneof(
  fc.integer({ min: DELIVERED + 1, max: 12 }),
  fc.integer({ min: -3, max: -1 }),
  fc.constantFrom<unknown>(2 ** 53, 2 ** 53 - 1, 2 ** 63, 1e300, 2.5, 'NaN', '7', null, true, [7]),
)
const badEntry = fc.oneof(
  fc.record({ topic: fc.constant('t'), offset: impossible }),
  fc.record({ topic: fc.constantFrom('other', 'nope', '', 't*'), offset: fc.nat(9) }),
  fc.record({
    topic: fc.constant('t'),
    partition: fc.constantFrom(2, 99, -1, 0.5),
    offset: fc.nat(9),
  }),
)
const badCommit = fc.record({
  who: fc.nat(1),
  bad: badEntry,
  /** Good ones beside it. */
  good: fc.option(fc.integer({ min: COMMITTED, max: DELIVERED }), { nil: undefined }),
  first: fc.boolean(),
})

describe('commits that cannot be', () => {
  it('are refused whatever they are, change nothing, and the group goes on', async () => {
    const before = await groups.describe('g')
    await fc.assert(
      fc.asyncProperty(badCommit, async ({ who, bad, good, first }) => {
        const entries: unknown[] = [{ partition: who, ...bad }]
        if (good !== undefined) entries[first ? 'unshift' : 'push'](at('t', who, good))
        const answer = await groups.tryCommit(members[who]!, entries as never)
        expect([400, 404, 409, 416]).toContain(answer.status)
        expect(await answer.json()).toMatchObject({ written: 'no' })
      }),
      { numRuns: 300, seed: 16 },
    )
    const after = await groups.describe('g')
    expect(after.partitions.map(({ committed }) => committed)).toEqual([COMMITTED, COMMITTED])
    expect(after.generation_id).toBe(before.generation_id)
    for (const member of members) {
      expect((await groups.pollOn(member)).records).toHaveLength(10 - DELIVERED)
    }
    expect(await groups.committed('g')).toEqual({ 't/0': DELIVERED, 't/1': DELIVERED })
  })

  it('of the past of the group are refused as well', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1), fc.integer({ min: 1, max: 9 }), async (who, offset) => {
        const generation_id = 0
        const answer = await groups.tryCommit({ ...members[who]!, generation_id }, [
          at('t', who, offset),
        ])
        expect([409, 416]).toContain(answer.status)
      }),
      { numRuns: 100, seed: 16 },
    )
    expect(await groups.committed('g')).toEqual({ 't/0': DELIVERED, 't/1': DELIVERED })
  })
})
