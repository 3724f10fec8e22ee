import { describe, expect, it } from 'vitest'
import { expectProblem } from '../support/answers.ts'
import { at, LONG, valuesOf } from '../support/group-calls.ts'
import { useGroups } from '../support/use-groups.ts'

const groups = useGroups()

/** A process and the one that has joined under its name since; the first one holds a record. */
async function twice(name: string) {
  await groups.topic(name, ['a', 'b'], ['c', 'd'])
  const former = await groups.join(name, name, { member_id: 'me' })
  const other = await groups.join(name, name, { member_id: 'other' })
  const polled = await groups.pollOn(former, { max_records: 1 })
  const again = await groups.join(name, name, { member_id: 'me' })
  return { former: { ...former, generation_id: polled.generation_id }, other, again, polled }
}

describe('joining again under the same name', () => {
  it('keeps the partitions, and moves no one else’s', async () => {
    const { again, other, polled } = await twice('kept')
    expect(again.member_id).toBe('me')
    expect(again.assignment).toEqual(polled.assignment)
    expect(again.generation_id).toBeGreaterThan(polled.generation_id)
    expect((await groups.poll(other)).assignment).toEqual(other.assignment)
  })

  it('reads again what the former process was given and had not committed', async () => {
    const { again, polled } = await twice('given-again')
    expect(valuesOf(await groups.poll(again, { max_records: 1 }))).toEqual(valuesOf(polled))
  })

  it('goes on behind what the former process had committed', async () => {
    await groups.topic('went-on', ['a', 'b', 'c'])
    const former = await groups.join('went-on', 'went-on', { member_id: 'me' })
    await groups.poll(former, { max_records: 2 })
    await groups.commit(former, [at('went-on', 0, 1)])
    const again = await groups.join('went-on', 'went-on', { member_id: 'me' })
    expect(valuesOf(await groups.poll(again))).toEqual(['b', 'c'])
  })

  it('commits nothing of the former process with its first poll, and is not refused', async () => {
    await groups.topic('at-once', ['a', 'b', 'c'])
    const former = await groups.join('at-once', 'at-once', { member_id: 'me' })
    await groups.pollOn(former, { max_records: 1 })
    const again = await groups.join('at-once', 'at-once', { member_id: 'me' })
    const { generation_id } = again
    const polled = await groups.pollOn(again, { generation_id, max_records: 2 })
    expect(valuesOf(polled)).toEqual(['a', 'b'])
    expect(await groups.committed('at-once')).toEqual({ 'at-once/0': null })
  })

  it('after leaving has its partitions again', async () => {
    await groups.topic('returned', ['a', 'b'])
    const me = await groups.join('returned', 'returned', { member_id: 'me' })
    await groups.poll(me)
    await groups.leave(me)
    const again = await groups.join('returned', 'returned', { member_id: 'me' })
    expect(again.assignment).toEqual(me.assignment)
    expect(valuesOf(await groups.poll(again))).toEqual(['a', 'b'])
  })

  it('again and again leaves one member', async () => {
    await groups.topic('often', ['a'])
    for (let n = 0; n < 5; n++) await groups.join('often', 'often', { member_id: 'me' })
    expect((await groups.describe('often')).members).toHaveLength(1)
    expect(await groups.owners('often')).toEqual({ 'often/0': 'me' })
  })
})

describe('the former process', () => {
  it('is refused when it polls', async () => {
    const { former, again } = await twice('old-poll')
    const generation_id = former.generation_id
    await expectProblem(await groups.tryPoll(former, { generation_id }), 'illegal_generation')
    const commit = 'previous' as const
    const answer = await groups.tryPoll(former, { generation_id, commit })
    await expectProblem(answer, 'illegal_generation', { written: 'no' })
    expect(valuesOf(await groups.poll(again))).toHaveLength(2)
  })

  it('is refused when it polls with what it received', async () => {
    const { former, polled } = await twice('old-received')
    const query = { commit: 'previous' as const, received: polled.ack }
    await expectProblem(await groups.tryPoll(former, query), 'illegal_generation', {
      written: 'no',
    })
    expect(Object.values(await groups.committed('old-received'))).toEqual([null, null])
  })

  it('is refused when it says that it lives', async () => {
    const { former, again } = await twice('old-heartbeat')
    await expectProblem(await groups.tryHeartbeat(former), 'illegal_generation')
    expect(await groups.heartbeat(again)).toMatchObject({ is_current: true })
  })

  it('does not keep the new one alive', async () => {
    const { former } = await twice('old-lives')
    const seen = async () => (await groups.describe('old-lives')).members.map((one) => one.seen_at)
    const before = await seen()
    await groups.tryHeartbeat(former)
    const { generation_id } = former
    await groups.tryPoll(former, { generation_id })
    expect(await seen()).toEqual(before)
  })

  it('does not take the new one along when it leaves', async () => {
    const { former, again } = await twice('old-leaves')
    await expectProblem(await groups.tryLeave(former), 'illegal_generation', { written: 'no' })
    expect((await groups.poll(again)).assignment).toEqual(again.assignment)
    await groups.leave(again)
  })

  it('is refused when it commits, before and after the new one was given the same', async () => {
    const { former, again, polled } = await twice('old-commit')
    const done = polled.positions
    await expectProblem(await groups.tryCommit(former, done), 'illegal_generation', {
      written: 'no',
    })
    await groups.poll(again)
    await expectProblem(await groups.tryCommit(former, done), 'illegal_generation')
    await expectProblem(await groups.tryCommit(former, 'delivered'), 'illegal_generation')
    expect(Object.values(await groups.committed('old-commit'))).toEqual([null, null])
  })

  it('is told while it waits', async () => {
    await groups.topic('old-waits', [])
    const former = await groups.join('old-waits', 'old-waits', { member_id: 'me' })
    const { generation_id } = former
    const waiting = groups.tryPoll(former, { generation_id, max_wait_ms: LONG })
    await groups.poll(former)
    const again = await groups.join('old-waits', 'old-waits', { member_id: 'me' })
    await expectProblem(await waiting, 'illegal_generation')
    await groups.produce('old-waits', [{ value: 'news' }])
    expect(valuesOf(await groups.poll(again))).toEqual(['news'])
  })
})
