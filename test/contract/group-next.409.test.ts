import { describe, expect, it } from 'vitest'
import { expectProblem } from '../support/answers.ts'
import { upTo, valuesOf } from '../support/group-calls.ts'
import { useGroups } from '../support/use-groups.ts'
import { until } from '../support/within.ts'

const groups = useGroups()

/** A caller whose lease is over, and one that has all its partitions since. */
async function late(name: string) {
  await groups.topic(name, upTo(4))
  const slow = await groups.next(name, name, { lease_ms: 1_000, max_records: 2 })
  const quick = await groups.join(name, name)
  let values: unknown[] = []
  await until(async () => {
    values = valuesOf(await groups.poll(quick, { max_wait_ms: 500, max_records: 2 }))
    return values.length > 0
  })
  return { slow, quick, values }
}

describe('an ack that comes too late', () => {
  it('is refused and not applied, and a call without one goes on', async () => {
    const { slow, quick, values } = await late('late')
    expect(values).toEqual([0, 1])
    const answer = await groups.tryNext('late', 'late', { ack: slow.ack })
    const problem = await expectProblem(answer, 'illegal_generation', { written: 'no' })
    expect(problem.hint).toContain('without ack')
    expect(await groups.committed('late')).toEqual({ 'late/0': null })
    await groups.leave(quick)
    expect(valuesOf(await groups.next('late', 'late'))).toEqual(upTo(4))
  })

  it('is refused as often as it is sent', async () => {
    const { slow } = await late('often')
    for (let n = 0; n < 3; n++) {
      const answer = await groups.tryNext('often', 'often', { ack: slow.ack })
      await expectProblem(answer, 'illegal_generation', { written: 'no' })
    }
  })

  it('is refused where another has joined under the name since', async () => {
    await groups.topic('again', upTo(4))
    const me = { member_id: 'me', max_records: 2 }
    const first = await groups.next('again', 'again', me)
    const second = await groups.next('again', 'again', me)
    const answer = await groups.tryNext('again', 'again', { ...me, ack: first.ack })
    await expectProblem(answer, 'illegal_generation', { written: 'no' })
    expect(await groups.committed('again')).toEqual({ 'again/0': null })
    expect(valuesOf(second)).toEqual([0, 1])
  })

  it('does not end the one that has joined under the name since', async () => {
    await groups.topic('kept', upTo(4))
    const me = { member_id: 'me', max_records: 2 }
    const first = await groups.next('kept', 'kept', me)
    const second = await groups.next('kept', 'kept', me)
    await groups.tryNext('kept', 'kept', { ...me, ack: first.ack })
    const { records } = await groups.next('kept', 'kept', { ...me, ack: second.ack })
    expect(records).toMatchObject([{ value: 2 }, { value: 3 }])
  })

  it('is refused where the group was deleted meanwhile', async () => {
    await groups.topic('deleted', upTo(4))
    const first = await groups.next('deleted', 'deleted', { lease_ms: 1_000 })
    const remove = () => fetch(`${groups.url}/v1/groups/deleted`, { method: 'DELETE' })
    await until(async () => (await remove()).status === 204)
    const answer = await groups.tryNext('deleted', 'deleted', { ack: first.ack })
    await expectProblem(answer, 'illegal_generation', { written: 'no' })
    expect(valuesOf(await groups.next('deleted', 'deleted'))).toEqual(upTo(4))
  })
})
