import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DrainCalls } from '../support/drain-calls.ts'
import { frameOf } from '../support/drain-frames.ts'
import { Outage } from '../support/outage.ts'
import { startServerProcess, type ServerProcess } from '../support/process.ts'
import { until, within } from '../support/within.ts'

/** A promise of the server: with the database away, its port refuses within about 5 s. */
const SHUT_MS = 7_000

let postgres: Outage
let node: ServerProcess
let drains: DrainCalls
beforeAll(async () => {
  postgres = await Outage.create()
  node = await startServerProcess({ DATABASE_URL: postgres.url, TAILRACE_LOG_LEVEL: 'warn' })
  drains = new DrainCalls(node.url)
})
afterAll(async () => {
  drains.hangUp()
  const { stderr } = await node.stop()
  await postgres.close()
  expect(stderr).not.toMatch(/MaxListeners|"level":[56]0/)
})
beforeEach(() => drains.hangUp())

/** Does the port take connections, and does the API answer? */
const isServed = () =>
  fetch(`${node.url}/v1/topics`, { headers: { connection: 'close' } }).then(
    ({ ok }) => ok,
    () => false,
  )
const isRefused = () =>
  fetch(`${node.url}/livez`, { headers: { connection: 'close' } }).then(
    () => false,
    (error: unknown) => (error as { cause?: { code?: string } }).cause?.code === 'ECONNREFUSED',
  )

describe('a database that is away for two seconds', () => {
  it('goes unnoticed by a sender: its frame is held, and stored once', async () => {
    await drains.create('held')
    await drains.postFrame('held', frameOf('before'))
    await postgres.freeze()
    const frames = ['F1', 'F2', 'F1', 'F1'].map((id) =>
      drains.postFrame('held', frameOf(`held ${id}`), id),
    )
    await sleep(2_000)
    postgres.thaw()
    for (const answer of await Promise.all(frames)) expect(answer.status).toBe(204)
    const messages = await drains.messages('held')
    expect(messages.slice().sort()).toEqual(['before', 'held F1', 'held F2'])
  })

  it('goes unnoticed when it was killed, too', async () => {
    await drains.create('killed')
    const frames: ReturnType<typeof drains.postFrame>[] = []
    for (let n = 0; n < 40; n++) {
      if (n % 20 === 5) postgres.kill()
      frames.push(drains.postFrame('killed', frameOf(`line ${n}`), `K${n}`))
      await sleep(20)
    }
    for (const answer of await Promise.all(frames)) expect(answer.status).toBe(204)
    const messages = await drains.messages('killed')
    expect(messages).toHaveLength(40)
    expect(new Set(messages).size).toBe(40)
  })
})

describe('a database that is away for longer', () => {
  it('has the port refuse, and what is held is stored when it is back', async () => {
    await drains.create('long')
    await drains.postFrame('long', frameOf('before'))
    await postgres.freeze()
    const ids = Array.from({ length: 30 }, (_, n) => `L${n}`)
    const frames = ids.map((id) => drains.postFrame('long', frameOf(id), id))
    await within(SHUT_MS, until(isRefused))
    // Nobody is let in meanwhile, however often they try.
    for (let n = 0; n < 5; n++) expect(await isRefused()).toBe(true)
    postgres.thaw()
    for (const answer of await Promise.all(frames)) expect(answer.status).toBe(204)
    await until(isServed)
    const messages = await drains.messages('long')
    expect(messages.slice().sort()).toEqual(['before', ...ids].sort())
    expect((await drains.postFrame('long', frameOf('after'))).status).toBe(204)
    expect((await drains.describe('long')).received).toMatchObject({ frames: 32, duplicates: 0 })
  })

  it('is over for all that call, not only for drains', async () => {
    await drains.create('over')
    await postgres.freeze()
    const frame = drains.postFrame('over', frameOf('held'), 'O1')
    await within(SHUT_MS, until(isRefused))
    postgres.thaw()
    await until(isServed)
    expect((await frame).status).toBe(204)
    expect((await fetch(`${node.url}/readyz`)).status).toBe(200)
  })
})
