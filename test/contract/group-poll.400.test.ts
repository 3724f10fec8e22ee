import { beforeAll, describe, expect, it } from 'vitest'
import { expectProblem } from '../support/answers.ts'
import { upTo, valuesOf, type Membership } from '../support/group-calls.ts'
import { useGroups } from '../support/use-groups.ts'

const groups = useGroups()
let me: Membership
beforeAll(async () => {
  await groups.topic('orders', upTo(5))
  me = await groups.join('group', 'orders', { member_id: 'me' })
})

const tryQuery = (query: string, member = 'me') =>
  fetch(`${groups.url}/v1/groups/group/members/${member}/records?${query}`)

describe('a poll that is not valid', () => {
  it.each<[string, string]>([
    ['max_records=0', '/max_records'],
    ['max_records=10001', '/max_records'],
    ['max_records=ten', '/max_records'],
    ['max_records=', '/max_records'],
    ['max_records=1&max_records=2', '/max_records'],
    ['max_bytes=0', '/max_bytes'],
    ['max_bytes=2147483648', '/max_bytes'],
    ['max_bytes=1e3', '/max_bytes'],
    ['max_wait_ms=-1', '/max_wait_ms'],
    ['max_wait_ms=60001', '/max_wait_ms'],
    ['max_wait_ms=NaN', '/max_wait_ms'],
    ['generation_id=-1', '/generation_id'],
    ['generation_id=1.5', '/generation_id'],
    ['generation_id=9007199254740992', '/generation_id'],
    ['commit=all', '/commit'],
    ['received=what', '/received'],
    ['received=', '/received'],
    ['received=other:1:1:', '/received'],
    ['from=earliest', '/from'],
    ['received=%ff', '/received'],
  ])('as ?%s is refused', async (query, pointer) => {
    const answer = await tryQuery(query)
    await expectProblem(answer, 'invalid_request', { in: 'query', pointer, written: 'no' })
  })

  it.each(['a%20b', 'x'.repeat(250), '%00'])('of a member named %s is refused', async (member) => {
    const answer = await tryQuery('', member)
    const pointer = '/member_id'
    await expectProblem(answer, 'invalid_request', { in: 'path', pointer, written: 'no' })
  })

  it('hands out nothing', async () => {
    expect(valuesOf(await groups.poll(me))).toEqual(upTo(5))
  })
})

describe('a heartbeat that is not valid', () => {
  it.each(['-1', '1.5', 'x', ''])('with a generation of "%s" is refused', async (generation) => {
    const path = `/v1/groups/group/members/me/heartbeat?generation_id=${generation}`
    const answer = await fetch(groups.url + path, { method: 'POST' })
    await expectProblem(answer, 'invalid_request', { in: 'query', pointer: '/generation_id' })
  })
})
