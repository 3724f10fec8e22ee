import { describe, expect, it } from 'vitest'
import { joinGroup, send } from '../../src/client/index.ts'
import { expectProblem } from '../support/answers.ts'
import { useGroups } from '../support/use-groups.ts'

const groups = useGroups()

const name = 'refused'
const topics = ['there']

const tryBody = (body: unknown, group = name) =>
  send(groups.url, joinGroup, {
    params: { group },
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })

describe('a join that is not valid', () => {
  it.each<[string, unknown, string]>([
    ['no topics', {}, '/topics'],
    ['an empty list of topics', { topics: [] }, '/topics'],
    ['topics that are no list', { topics: 'there' }, '/topics'],
    ['a topic that is no text', { topics: [1] }, '/topics/0'],
    ['a topic without a name', { topics: [''] }, '/topics/0'],
    ['a topic with a slash', { topics: ['there', 'a/b'] }, '/topics/1'],
    ['an asterisk in the middle', { topics: ['a*b'] }, '/topics/0'],
    ['two asterisks', { topics: ['**'] }, '/topics/0'],
    ['a name too long', { topics: ['x'.repeat(250)] }, '/topics/0'],
    ['a NUL', { topics: ['a\u0000'] }, '/topics/0'],
    ['two dots', { topics: ['..'] }, '/topics/0'],
    ['more topics than may be', { topics: Array(101).fill('there') }, '/topics'],
    ['a member’s name with a blank', { topics, member_id: 'a b' }, '/member_id'],
    ['a member without a name', { topics, member_id: '' }, '/member_id'],
    ['a member named .', { topics, member_id: '.' }, '/member_id'],
    ['a member that is null', { topics, member_id: null }, '/member_id'],
    ['another reset', { topics, auto_offset_reset: 'none' }, '/auto_offset_reset'],
    ['a session of no time', { topics, session_timeout_ms: 0 }, '/session_timeout_ms'],
    ['a session of 999 ms', { topics, session_timeout_ms: 999 }, '/session_timeout_ms'],
    ['a session of a day', { topics, session_timeout_ms: 86_400_000 }, '/session_timeout_ms'],
    [
      'a session of half a second more',
      { topics, session_timeout_ms: 1000.5 },
      '/session_timeout_ms',
    ],
    ['a session as text', { topics, session_timeout_ms: '1000' }, '/session_timeout_ms'],
    ['no time to let go', { topics, rebalance_timeout_ms: 0 }, '/rebalance_timeout_ms'],
    ['an assignor nobody knows', { topics, assignor: 'sticky' }, '/assignor'],
    ['a member that is not known', { topics, static: true }, '/static'],
    ['a list', [], ''],
    ['null', null, ''],
  ])('for %s says what is wrong, and makes no group', async (_, body, pointer) => {
    const answer = await tryBody(body)
    await expectProblem(answer, 'invalid_request', { pointer, written: 'no' })
    const { status } = await fetch(`${groups.url}/v1/groups/${name}`)
    expect(status).toBe(404)
  })

  it.each(['a b', 'x'.repeat(250), 'ä', 'a%2Fb'])('of a group named %s', async (group) => {
    const answer = await tryBody({ topics }, group)
    await expectProblem(answer, 'invalid_request', { in: 'path', pointer: '/group', written: 'no' })
  })

  it('but the longest names that may be are taken', async () => {
    const [group, topic, member_id] = ['g', 't', 'm'].map((one) => one.repeat(249))
    await groups.topic(topic!, ['x'])
    const joined = await groups.join(group!, topic!, { member_id: member_id! })
    expect((await groups.poll(joined)).records).toHaveLength(1)
  })
})
