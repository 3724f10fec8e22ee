import { beforeAll, describe, expect, it } from 'vitest'
import { listGroups, send } from '../../src/client/index.ts'
import { ask, expectAnswer, expectProblem } from '../support/answers.ts'
import { at, upTo } from '../support/group-calls.ts'
import { startTestServer } from '../support/server.ts'
import { useGroups } from '../support/use-groups.ts'

const NAMES = ['a', 'b-1', 'b-10', 'b-2', 'B', 'c.d', 'c_d', 'd', 'f']
const groups = useGroups()
beforeAll(async () => {
  await groups.topic('orders', upTo(3))
  for (const name of NAMES) await groups.set(name, [at('orders', 0, 1)])
})

const list = (query = {}) => ask(groups.url, listGroups, { query })

/** All groups, page by page as the server links them. */
async function namesByPages(path: string): Promise<string[]> {
  const response = await fetch(groups.url + path)
  const link = response.headers.get('link')
  const { groups: page, next } = await expectAnswer(listGroups, response)
  expect(link).toBe(next === null ? null : `<${next}>; rel="next"`)
  const names = page.map(({ group }) => group)
  return next === null ? names : [...names, ...(await namesByPages(next))]
}

describe('the list of groups', () => {
  it('has each once, with what there is to know at a glance', async () => {
    const page = await list()
    expect(page.next).toBeNull()
    expect(page.groups.map(({ group }) => group).sort()).toEqual([...NAMES].sort())
    expect(page.groups.find(({ group }) => group === 'a')).toEqual({
      group: 'a',
      state: 'empty',
      members: 0,
      generation_id: 0,
      assignor: 'cooperative_sticky',
      created_at: expect.any(String),
    })
  })

  it('counts members and names the state', async () => {
    const me = await groups.join('a', 'orders')
    await groups.join('a', 'orders')
    expect((await list({ prefix: 'a' })).groups).toMatchObject([{ members: 2, state: 'stable' }])
    await groups.leave(me)
    expect((await list({ prefix: 'a' })).groups).toMatchObject([{ members: 1 }])
  })

  it.each([1, 2, 3, 100])('has each once by pages of %i', async (limit) => {
    const names = await namesByPages(`/v1/groups?limit=${String(limit)}`)
    expect(names).toEqual((await list()).groups.map(({ group }) => group))
  })

  it('by a beginning has those alone, by pages too', async () => {
    expect(await namesByPages('/v1/groups?prefix=b-&limit=2')).toEqual(['b-1', 'b-10', 'b-2'])
    expect(await namesByPages('/v1/groups?prefix=c_')).toEqual(['c_d'])
    expect(await namesByPages('/v1/groups?prefix=%25')).toEqual([])
  })

  it('after the last is empty', async () => {
    expect(await list({ after: 'zzz' })).toEqual({ groups: [], next: null })
  })

  it.each<[string, string]>([
    ['limit=0', '/limit'],
    ['limit=1001', '/limit'],
    ['limit=x', '/limit'],
    ['after=%00', '/after'],
    ['prefix=%00', '/prefix'],
    ['state=empty', '/state'],
  ])('as ?%s is refused', async (query, pointer) => {
    const answer = await fetch(`${groups.url}/v1/groups?${query}`)
    await expectProblem(answer, 'invalid_request', { in: 'query', pointer })
  })

  it('is there to be read without groups', async () => {
    const empty = await startTestServer()
    const response = await send(empty.url, listGroups)
    expect(await expectAnswer(listGroups, response)).toEqual({ groups: [], next: null })
    await empty.stop()
  })
})
