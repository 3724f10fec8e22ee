import { describe, expect, it } from 'vitest'
import { listDrains, getDrain } from '../../src/contract/drain-routes.ts'
import { send } from '../../src/client/index.ts'
import { expectProblem } from '../support/answers.ts'
import { useDrains } from '../support/use-drains.ts'

const drains = useDrains()
const namesOf = ({ drains: page }: { drains: { name: string }[] }) => page.map(({ name }) => name)

describe('GET /v1/drains', () => {
  it('is empty at first', async () => {
    expect(await drains.list()).toEqual({ drains: [], next: null })
  })

  it('lists by name, in pages that lead from one to the next', async () => {
    const names = ['b-2', 'a-1', 'B', 'a-2', 'b-1', 'c', 'Z']
    for (const name of names) await drains.create(name)
    const found: string[] = []
    for (let path: string | null = '/v1/drains?limit=3'; path !== null;) {
      const response = await fetch(drains.url + path)
      const page = listDrains.response.parse(await response.json())
      expect(page.drains.length).toBeLessThanOrEqual(3)
      expect(response.headers.get('link')).toBe(page.next && `<${page.next}>; rel="next"`)
      found.push(...namesOf(page))
      path = page.next
    }
    expect([...found].sort()).toEqual([...names].sort())
    expect(found).toEqual(namesOf(await drains.list()))
  })

  it('lists those that begin alike, and those behind a name', async () => {
    expect(namesOf(await drains.list({ prefix: 'a-' }))).toEqual(['a-1', 'a-2'])
    expect(namesOf(await drains.list({ prefix: 'b-', after: 'b-1' }))).toEqual(['b-2'])
    expect(namesOf(await drains.list({ prefix: '%' }))).toEqual([])
  })

  it.each(['limit=0', 'limit=1001', 'limit=x', 'colour=red'])('refuses ?%s', async (query) => {
    const pointer = `/${query.split('=')[0]!}`
    const answer = await fetch(`${drains.url}/v1/drains?${query}`)
    await expectProblem(answer, 'invalid_request', { in: 'query', pointer })
  })
})

describe('GET /v1/drains/{drain}', () => {
  it('is 404 for one that is not there', async () => {
    const answer = await send(drains.url, getDrain, { params: { drain: 'nobody' } })
    const problem = await expectProblem(answer, 'unknown_drain')
    expect(problem.detail).toContain('nobody')
  })
})
