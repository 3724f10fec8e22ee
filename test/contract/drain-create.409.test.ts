import { describe, expect, it } from 'vitest'
import { expectProblem } from '../support/answers.ts'
import { topicNames } from '../support/records.ts'
import { useDrains } from '../support/use-drains.ts'

const drains = useDrains()

describe('a drain whose name is taken', () => {
  it('is refused, and the first stays as it is', async () => {
    await drains.create('taken')
    const before = await drains.describe('taken')
    const second = await drains.tryCreate({ name: 'taken', topic: 'elsewhere' })
    const problem = await expectProblem(second, 'drain_already_exists', { written: 'no' })
    expect(problem.detail).toContain('taken')
    expect(problem.hint).toContain('rotate')
    expect(await drains.describe('taken')).toEqual(before)
    expect((await drains.postFrame('taken', '')).status).toBe(204)
    expect(await topicNames(drains.url)).toEqual(['taken'])
  })

  it('has one winner among many at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => drains.tryCreate({ name: 'race' })),
    )
    const statuses = answers.map(({ status }) => status).sort()
    expect(statuses).toEqual([201, 409, 409, 409, 409, 409, 409, 409])
  })

  it('is not one whose topic could not be made: it can be created later', async () => {
    const { database } = drains.server
    await database.query(
      "alter table tailrace.topics add constraint no_boom check (name <> 'boom')",
    )
    expect((await drains.tryCreate({ name: 'boom' })).status).toBe(500)
    await database.query('alter table tailrace.topics drop constraint no_boom')
    await drains.create('boom')
    expect((await drains.postFrame('boom', '')).status).toBe(204)
  })
})
