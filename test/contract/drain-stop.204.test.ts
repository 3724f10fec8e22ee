import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DrainCalls } from '../support/drain-calls.ts'
import { frameOf } from '../support/drain-frames.ts'
import { Outage } from '../support/outage.ts'
import { startServerProcess, type ServerProcess } from '../support/process.ts'
import { until } from '../support/within.ts'

let postgres: Outage
let node: ServerProcess
let drains: DrainCalls
const environment = () => ({
  DATABASE_URL: postgres.url,
  TAILRACE_LOG_LEVEL: 'warn',
})
beforeAll(async () => {
  postgres = await Outage.create()
  node = await startServerProcess(environment())
  drains = new DrainCalls(() => node.url)
})
afterAll(async () => {
  drains.hangUp()
  await node.stop()
  await postgres.close()
})

const upTo = (count: number) => Array.from({ length: count }, (_, n) => `line ${n}`)

/** Frames that the server has in hand, as it has suspected the database since. */
async function holdFrames(name: string): Promise<Promise<number | 'cut'>[]> {
  await drains.create(name)
  await drains.postFrame(name, frameOf('before'))
  await postgres.freeze()
  const frames = upTo(5).map((text, n) =>
    drains.postFrame(name, frameOf(text), `S${n}`).then(
      ({ status }) => status,
      () => 'cut' as const,
    ),
  )
  return frames
}

const isRefused = () =>
  fetch(`${node.url}/livez`, { headers: { connection: 'close' } }).then(
    () => false,
    () => true,
  )

/** What was cut is sent again, as Logplex does it; then all of it is there once. */
async function expectAllOnce(name: string): Promise<void> {
  for (const [n, text] of upTo(5).entries()) {
    expect((await drains.postFrame(name, frameOf(text), `S${n}`)).status).toBe(204)
  }
  expect((await drains.messages(name)).sort()).toEqual(['before', ...upTo(5)])
}

describe('a server that is stopped while the database is away', () => {
  it('answers no frame that it holds with 503', async () => {
    const frames = await holdFrames('stopped')
    await sleep(1_000)
    const stopped = node.stop()
    const answers = await Promise.all(frames)
    postgres.thaw()
    await stopped
    for (const answer of answers) expect(['cut', 204]).toContain(answer)
    node = await startServerProcess(environment())
    await expectAllOnce('stopped')
  })

  it('stops, too, when its port refuses already', async () => {
    const frames = await holdFrames('refusing')
    await until(isRefused)
    const stopped = node.stop()
    const answers = await Promise.all(frames)
    postgres.thaw()
    const { code, stderr } = await stopped
    expect([code, stderr]).toEqual([0, expect.not.stringMatching(/"level":[56]0/)])
    for (const answer of answers) expect(['cut', 204]).toContain(answer)
    node = await startServerProcess(environment())
    await expectAllOnce('refusing')
  })
})
