import { describe, expect, it } from 'vitest'
import { expectProblem } from '../support/answers.ts'
import { useGroups } from '../support/use-groups.ts'

const groups = useGroups()

const statusOf = async (group: string) => (await fetch(`${groups.url}/v1/groups/${group}`)).status

describe('joining for a topic that is not there', () => {
  it('is refused and makes no group, as a misspelt name would be waited for in vain', async () => {
    await groups.topic('orders', ['a'])
    const answer = await groups.tryJoin('misspelt', ['orders', 'oders'])
    const problem = await expectProblem(answer, 'unknown_topic_or_partition', { written: 'no' })
    expect(problem.detail).toContain('oders')
    expect(await statusOf('misspelt')).toBe(404)
  })

  it('is refused for next as well', async () => {
    const answer = await groups.tryNext('misspelt', 'oders')
    await expectProblem(answer, 'unknown_topic_or_partition', { written: 'no' })
    expect(await statusOf('misspelt')).toBe(404)
  })

  it('changes nothing for a member that wanted others before', async () => {
    await groups.topic('kept', ['a'])
    const me = await groups.join('keeper', 'kept', { member_id: 'me' })
    const answer = await groups.tryJoin('keeper', 'gone', { member_id: 'me' })
    await expectProblem(answer, 'unknown_topic_or_partition')
    const { generation_id } = me
    const polled = await groups.poll(me, { generation_id })
    expect(polled).toMatchObject({ generation_id, records: [{ value: 'a' }] })
  })

  it('is refused for one that was deleted a moment ago', async () => {
    await groups.topic('deleted', ['a'])
    await fetch(`${groups.url}/v1/topics/deleted`, { method: 'DELETE' })
    const answer = await groups.tryJoin('late', 'deleted')
    await expectProblem(answer, 'unknown_topic_or_partition')
  })
})
