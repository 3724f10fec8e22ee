import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { DrainOutage } from '../../src/broker/drains/outage.ts'
import { until } from '../support/within.ts'

let isThere: boolean
let asked: number
let outage: DrainOutage
beforeEach(() => {
  isThere = false
  asked = 0
  outage = new DrainOutage(() => {
    asked++
    return isThere ? Promise.resolve() : Promise.reject(new Error('away'))
  })
})
afterEach(() => outage.close())

/** A pause that would last for ever. */
const endless = {
  failed: async (signal: AbortSignal) => {
    await once(signal, 'abort')
  },
}

it('lets those who wait try again as soon as the database answers', async () => {
  const waiting = outage.pause(endless)
  await until(() => asked > 1)
  isThere = true
  await waiting
})

it('lets those who wait go when the server stops', async () => {
  const waiting = outage.pause(endless)
  outage.close()
  await waiting
  expect(outage.isOver).toBe(true)
})

it('has any number wait without a word from Node', async () => {
  const warnings: Error[] = []
  const heard = (warning: Error) => warnings.push(warning)
  process.on('warning', heard)
  const waiting = Array.from({ length: 100 }, () => outage.pause(endless))
  await turn()
  process.off('warning', heard)
  expect(warnings).toEqual([])
  outage.close()
  await Promise.all(waiting)
})
