import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { DrainCalls } from '../support/drain-calls.ts'
import { LogplexSender } from '../support/logplex-sender.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { startServerProcess, type ServerProcess } from '../support/process.ts'
import { until } from '../support/within.ts'

let database: TestDatabase
let node: ServerProcess
let drains: DrainCalls
const start = (port = '0') =>
  startServerProcess({
    DATABASE_URL: database.url,
    TAILRACE_LOG_LEVEL: 'warn',
    TAILRACE_PORT: port,
  })
beforeAll(async () => {
  database = await createTestDatabase()
  node = await start()
  drains = new DrainCalls(() => node.url)
})
afterAll(async () => {
  drains.hangUp()
  await node.stop()
  await database.drop()
})

const upTo = (count: number) => Array.from({ length: count }, (_, n) => `line ${n}`)

describe('a server that is stopped and started again while Logplex sends', () => {
  it('loses nothing, with tails open that do not read', async () => {
    const { url, credential } = await drains.create('restarted')
    const sockets = Array.from({ length: 20 }, () => {
      const target = node.url.replace('http', 'ws')
      return new WebSocket(`${target}/v1/topics/restarted/tail?from=earliest`)
    })
    await Promise.all(sockets.map((socket) => once(socket, 'open')))
    // They take nothing, and do not answer when the server says farewell.
    for (const socket of sockets) socket.pause()
    const senders = Array.from({ length: 3 }, () => new LogplexSender(url, credential))
    const fates: string[] = []
    const sending = senders.map(async (sender, k) => {
      for (let n = k; n < 90; n += senders.length) {
        fates.push(await sender.send(`R${n}`, `line ${n}`))
        await sleep(15)
      }
    })
    await until(() => fates.length > 20)
    const { port } = new URL(node.url)
    await node.stop()
    node = await start(port)
    await Promise.all(sending)
    for (const socket of sockets) socket.terminate()
    for (const sender of senders) sender.close()
    expect(senders.flatMap(({ statuses }) => statuses).filter((one) => one !== 204)).toEqual([])
    expect(fates).toEqual(Array(90).fill('delivered'))
    const messages = await drains.messages('restarted')
    expect(messages.sort()).toEqual(upTo(90).sort())
  })
})
