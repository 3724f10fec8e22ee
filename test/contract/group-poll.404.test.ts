import { describe, expect, it } from 'vitest'
import { expectProblem } from '../support/answers.ts'
import { at, LONG, valuesOf } from '../support/group-calls.ts'
import { useGroups } from '../support/use-groups.ts'
import { until } from '../support/within.ts'

const groups = useGroups()

const membersOf = async (group: string) => (await groups.describe(group)).members.length

describe('whoever is no member', () => {
  it.each(['no-group', 'group'])('of %s may neither poll, nor beat, nor leave', async (group) => {
    await groups.topic(`of-${group}`, ['a'])
    if (group === 'group') await groups.join(group, `of-${group}`)
    const nobody = { group, member_id: 'nobody', generation_id: 1 }
    await expectProblem(await groups.tryPoll(nobody), 'unknown_member_id')
    await expectProblem(await groups.tryHeartbeat(nobody), 'unknown_member_id')
    const path = `/v1/groups/${group}/members/nobody`
    const left = await fetch(groups.url + path, { method: 'DELETE' })
    await expectProblem(left, 'unknown_member_id', { written: 'no' })
  })

  it('any more since it left is told so, also while it waits', async () => {
    await groups.topic('left', [])
    const me = await groups.join('left', 'left')
    const waiting = groups.tryPoll(me, { max_wait_ms: LONG })
    await groups.poll(me, { max_wait_ms: 50 })
    await groups.leave(me)
    await expectProblem(await waiting, 'unknown_member_id')
    await expectProblem(await groups.tryPoll(me), 'unknown_member_id')
    await expectProblem(await groups.tryCommit(me, [at('left', 0, 0)]), 'illegal_generation')
  })

  it('any more since its session ended is told so, joins again and goes on', async () => {
    await groups.topic('ended', ['a', 'b'])
    const me = await groups.join('ended', 'ended', { member_id: 'me', session_timeout_ms: 1_000 })
    await groups.poll(me, { max_records: 1 })
    const other = await groups.join('ended', 'ended')
    await groups.poll(other, { max_wait_ms: LONG, max_records: 1 })
    await until(async () => (await membersOf('ended')) === 1)
    await expectProblem(await groups.tryPoll(me), 'unknown_member_id')
    await expectProblem(await groups.tryHeartbeat(me), 'unknown_member_id')
    await groups.leave(other)
    const again = await groups.join('ended', 'ended', { member_id: 'me' })
    expect(valuesOf(await groups.poll(again))).toEqual(['a', 'b'])
  })

  it('of a group that was deleted and made anew is told so', async () => {
    await groups.topic('remade', ['a'])
    const me = await groups.join('remade', 'remade', { session_timeout_ms: 1_000 })
    const remove = () => fetch(`${groups.url}/v1/groups/remade`, { method: 'DELETE' })
    await until(async () => (await remove()).status === 204)
    await groups.join('remade', 'remade')
    await expectProblem(await groups.tryPoll(me), 'unknown_member_id')
  })
})
