import { describe, expect, it } from 'vitest'
import { rotateDrain } from '../../src/contract/drain-routes.ts'
import { LIMITS } from '../../src/contract/limits.ts'
import { send } from '../../src/client/index.ts'
import { expectProblem } from '../support/answers.ts'
import { frameOf } from '../support/drain-frames.ts'
import { useDrains, useDrainsOnNodes } from '../support/use-drains.ts'
import { until } from '../support/within.ts'

const drains = useDrains()
const bearer = (credential: string) => ({ headers: { authorization: `Bearer ${credential}` } })
const statusWith = async (name: string, credential: string) =>
  (await drains.call('POST', name, bearer(credential), frameOf('x'))).status

describe('a drain that gets a new credential', () => {
  it('takes both for a while', async () => {
    const old = await drains.create('rotated')
    const rotated = await drains.rotate('rotated')
    expect(rotated.credential).not.toBe(old.credential)
    expect(rotated.commands.heroku).toContain(rotated.credential)
    expect({ ...rotated, credential: '', commands: {} }).toEqual({
      ...old,
      credential: '',
      commands: {},
    })
    expect(await statusWith('rotated', old.credential)).toBe(204)
    expect(await statusWith('rotated', rotated.credential)).toBe(204)
  })

  it('takes the old one no more when its grace is over', async () => {
    const old = await drains.create('graced')
    const { credential } = await drains.rotate('graced', 1_500)
    expect(await statusWith('graced', old.credential)).toBe(204)
    await until(async () => (await statusWith('graced', old.credential)) === 401)
    expect(await statusWith('graced', credential)).toBe(204)
  })

  it('takes the old one no more at once, where there is no grace', async () => {
    const old = await drains.create('hurried')
    expect(await statusWith('hurried', old.credential)).toBe(204)
    const { credential } = await drains.rotate('hurried', 0)
    expect(await statusWith('hurried', old.credential)).toBe(401)
    expect(await statusWith('hurried', credential)).toBe(204)
  })

  it('takes the last but one no more', async () => {
    const first = await drains.create('again')
    const second = await drains.rotate('again')
    const third = await drains.rotate('again')
    expect(await statusWith('again', first.credential)).toBe(401)
    expect(await statusWith('again', second.credential)).toBe(204)
    expect(await statusWith('again', third.credential)).toBe(204)
  })

  it('is 404 where there is none', async () => {
    const answer = await send(drains.url, rotateDrain, { params: { drain: 'nobody' }, body: {} })
    await expectProblem(answer, 'unknown_drain', { written: 'no' })
  })

  it.each([-1, 1.5, LIMITS.drain_grace_ms + 1])('refuses a grace of %d ms', async (grace_ms) => {
    await drains.create(`refused${String(grace_ms)}`)
    const params = { drain: `refused${String(grace_ms)}` }
    const answer = await send(drains.url, rotateDrain, { params, body: { grace_ms } })
    await expectProblem(answer, 'invalid_request', { pointer: '/grace_ms', written: 'no' })
  })
})

describe('another node', () => {
  const [one, other] = useDrainsOnNodes()
  const sendTo = (name: string, credential: string) =>
    other.call('POST', name, bearer(credential), frameOf('x'))

  it('takes a new credential from the moment that it is shown', async () => {
    const old = await one.create('noded')
    expect((await sendTo('noded', old.credential)).status).toBe(204)
    const { credential } = await one.rotate('noded')
    // A 401 would be for good: Logplex drops what is answered 4xx.
    expect((await sendTo('noded', credential)).status).toBe(204)
  })

  it('takes the credential of a drain that was deleted and made anew', async () => {
    const old = await one.create('renewed')
    expect((await sendTo('renewed', old.credential)).status).toBe(204)
    await one.remove('renewed')
    const { credential } = await one.create('renewed')
    expect((await sendTo('renewed', credential)).status).toBe(204)
  })
})
