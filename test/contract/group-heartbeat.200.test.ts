import { describe, expect, it } from 'vitest'
import { LONG, valuesOf } from '../support/group-calls.ts'
import { useGroups } from '../support/use-groups.ts'

const groups = useGroups()

describe('a heartbeat', () => {
  it('says whether the assignment is the one of now', async () => {
    await groups.topic('current', [], [])
    const me = await groups.join('current', 'current')
    const { generation_id } = me
    expect(await groups.heartbeat(me)).toEqual({ generation_id, is_current: true })
    const other = await groups.join('current', 'current')
    const now = { generation_id: other.generation_id, is_current: false }
    expect(await groups.heartbeat(me)).toEqual(now)
    expect(await groups.heartbeat({ ...me, generation_id: other.generation_id })).toEqual({
      ...now,
      is_current: true,
    })
  })

  it('without a generation is one too', async () => {
    await groups.topic('unnamed', [])
    const { group, member_id } = await groups.join('unnamed', 'unnamed')
    expect(await groups.heartbeat({ group, member_id })).toMatchObject({ is_current: true })
  })

  it('moves the time at which the member was seen', async () => {
    await groups.topic('seen', [])
    const me = await groups.join('seen', 'seen')
    const seen = async () => (await groups.describe('seen')).members[0]!.seen_at
    const before = await seen()
    await groups.heartbeat(me)
    expect(Date.parse(await seen())).toBeGreaterThan(Date.parse(before))
  })

  it('keeps what is in hand through work longer than the session', async () => {
    await groups.topic('long-work', ['a'])
    const me = await groups.join('long-work', 'long-work', { session_timeout_ms: 1_000 })
    await groups.poll(me)
    const other = await groups.join('long-work', 'long-work')
    const waiting = groups.poll(other, { generation_id: other.generation_id, max_wait_ms: LONG })
    const start = performance.now()
    while (performance.now() - start < 2_500) await groups.heartbeat(me)
    await groups.commit(me, 'delivered')
    await groups.produce('long-work', [{ value: 'b' }])
    expect(valuesOf(await groups.poll(me))).toEqual(['b'])
    await groups.leave(other)
    await waiting.catch(() => undefined)
  })

  it('by many members at once counts for each', async () => {
    await groups.topic('many', [])
    const names = Array.from({ length: 40 }, (_, n) => `m${String(n)}`)
    const members = await Promise.all(
      names.map((member_id) => groups.join('many', 'many', { member_id })),
    )
    const answers = await Promise.all(members.map((one) => groups.heartbeat(one)))
    expect(new Set(answers.map(({ generation_id }) => generation_id)).size).toBe(1)
    expect((await groups.describe('many')).members).toHaveLength(40)
  })
})
