import { describe, expect, it } from 'vitest'
import { send } from '../../src/client/index.ts'
import { deleteDrain, getDrain } from '../../src/contract/drain-routes.ts'
import { expectProblem } from '../support/answers.ts'
import { frameOf } from '../support/drain-frames.ts'
import { useDrains } from '../support/use-drains.ts'

const drains = useDrains()

describe('a drain that is deleted', () => {
  it('is gone for senders and for its owner, and its topic stays', async () => {
    await drains.create('gone')
    await drains.postFrame('gone', frameOf('kept'))
    await drains.remove('gone')
    await expectProblem(await drains.postFrame('gone', frameOf('lost')), 'unknown_drain', {
      written: 'no',
    })
    await expectProblem(await drains.call('GET', 'gone'), 'unknown_drain')
    const params = { drain: 'gone' }
    await expectProblem(await send(drains.url, getDrain, { params }), 'unknown_drain')
    expect((await drains.list({ prefix: 'gone' })).drains).toEqual([])
    expect(await drains.messages('gone')).toEqual(['kept'])
  })

  it('leaves nothing counted behind', async () => {
    await drains.create('uncounted')
    await drains.postFrame('uncounted', frameOf('one'), 'D1')
    await drains.describe('uncounted')
    await drains.remove('uncounted')
    await drains.create('uncounted')
    const { received, sources } = await drains.describe('uncounted')
    expect(received).toMatchObject({ frames: 0, lines: 0, last_frame_id: null })
    expect(sources).toEqual([])
    // Of the new one, so it is not the frame that was stored for the old one.
    await drains.postFrame('uncounted', frameOf('two'), 'D1')
    expect(await drains.messages('uncounted')).toEqual(['one', 'two'])
  })

  it('cannot be deleted twice', async () => {
    await drains.create('once')
    await drains.remove('once')
    const answer = await send(drains.url, deleteDrain, { params: { drain: 'once' } })
    await expectProblem(answer, 'unknown_drain', { written: 'no' })
  })
})
