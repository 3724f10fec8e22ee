import { describe, expect, it } from 'vitest'
import { expectProblem } from '../support/answers.ts'
import { topicNames } from '../support/records.ts'
import { useDrains } from '../support/use-drains.ts'

const drains = useDrains()

describe('a drain is not created', () => {
  it.each([
    ['without a name', {}, '/name'],
    ['with an empty name', { name: '' }, '/name'],
    ['with a name that is a step of a path', { name: '..' }, '/name'],
    ['with a slash in its name', { name: 'a/b' }, '/name'],
    ['with a space in its name', { name: 'a b' }, '/name'],
    ['with a name that is too long', { name: 'x'.repeat(250) }, '/name'],
    ['with a topic of a wrong name', { name: 'fine', topic: 'a/b' }, '/topic'],
    ['with no partitions', { name: 'fine', partitions: 0 }, '/partitions'],
    ['with too many partitions', { name: 'fine', partitions: 1_001 }, '/partitions'],
    ['with half a partition', { name: 'fine', partitions: 1.5 }, '/partitions'],
    ['with what is not known', { name: 'fine', colour: 'red' }, '/colour'],
    ['with a setting that is not known', { name: 'fine', config: { salt: 'x' } }, '/config/salt'],
    [
      'with an empty secret',
      { name: 'fine', config: { vercel_secret: '' } },
      '/config/vercel_secret',
    ],
  ])('%s', async (_what, body, pointer) => {
    await expectProblem(await drains.tryCreate(body), 'invalid_request', { pointer, written: 'no' })
  })

  it('and neither is a topic', async () => {
    expect(await topicNames(drains.url)).toEqual([])
  })
})
