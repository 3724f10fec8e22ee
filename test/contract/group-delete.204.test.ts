import { describe, expect, it } from 'vitest'
import { deleteGroup, send } from '../../src/client/index.ts'
import { ask, expectProblem } from '../support/answers.ts'
import { at, upTo, valuesOf } from '../support/group-calls.ts'
import { useGroups } from '../support/use-groups.ts'
import { until } from '../support/within.ts'

const groups = useGroups()

const remove = (group: string) => ask(groups.url, deleteGroup, { params: { group } })
const tryRemove = (group: string) => send(groups.url, deleteGroup, { params: { group } })

describe('deleting a group', () => {
  it('forgets its offsets', async () => {
    await groups.topic('gone', upTo(3))
    await groups.set('gone', [at('gone', 0, 2)])
    await remove('gone')
    await expectProblem(await tryRemove('gone'), 'unknown_group', { written: 'no' })
    expect((await fetch(`${groups.url}/v1/groups/gone`)).status).toBe(404)
    const me = await groups.join('gone', 'gone')
    expect(valuesOf(await groups.poll(me))).toEqual(upTo(3))
  })

  it('is refused while a member lives, and changes nothing', async () => {
    await groups.topic('alive', upTo(3))
    const me = await groups.join('alive', 'alive')
    await groups.poll(me, { max_records: 2 })
    await groups.commit(me, 'delivered')
    await expectProblem(await tryRemove('alive'), 'non_empty_group', { written: 'no' })
    expect(valuesOf(await groups.poll(me))).toEqual([2])
    expect(await groups.committed('alive')).toEqual({ 'alive/0': 2 })
    await groups.leave(me)
    await remove('alive')
  })

  it('is done when the last session is over', async () => {
    await groups.topic('over', [])
    await groups.join('over', 'over', { session_timeout_ms: 1_000 })
    await expectProblem(await tryRemove('over'), 'non_empty_group', { written: 'no' })
    await until(async () => (await tryRemove('over')).status === 204)
  })

  it('leaves other groups of the topic alone', async () => {
    await groups.topic('shared', upTo(3))
    for (const name of ['one', 'two']) await groups.set(name, [at('shared', 0, 2)])
    await remove('one')
    expect(await groups.committed('two')).toEqual({ 'shared/0': 2 })
  })

  it('at once with joining it leaves a whole group or none, and fails for nobody', async () => {
    await groups.topic('race', upTo(3))
    const statuses = new Set<number>()
    for (let n = 0; n < 20; n++) {
      const joining = groups.tryJoin('race', 'race', { member_id: 'me' })
      const answers = await Promise.all([joining, tryRemove('race'), tryRemove('race')])
      for (const { status } of answers) statuses.add(status)
      if (answers[0].status === 201) await groups.leave({ group: 'race', member_id: 'me' })
    }
    expect([...statuses].filter((one) => ![201, 204, 404, 409].includes(one))).toEqual([])
  })

  it('by many at once is done by one', async () => {
    await groups.topic('many', [])
    await groups.set('many', [at('many', 0, 0)])
    const answers = await Promise.all(upTo(8).map(() => tryRemove('many')))
    expect(answers.map(({ status }) => status).sort()).toEqual([204, ...Array(7).fill(404)])
  })
})

describe('a group that is not there', () => {
  it('can neither be read, nor deleted, nor reset', async () => {
    await groups.topic('topic', [])
    await expectProblem(await fetch(`${groups.url}/v1/groups/none`), 'unknown_group')
    await expectProblem(await tryRemove('none'), 'unknown_group', { written: 'no' })
    const reset = await groups.tryReset('none', { topic: 'topic', to: 'earliest' })
    await expectProblem(reset, 'unknown_group', { written: 'no' })
  })
})
