import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createApp } from '../../src/http/app.ts'
import { closeApp } from '../../src/http/connections.ts'
import { createLogger } from '../../src/logger.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { startBrokerNode, type BrokerNode } from './broker-node.ts'
import { megabytes } from './figures.ts'
import { Random, SEED, size } from './random.ts'
import { openRawTail, RAW_FORMS, type RawForm } from './raw-tail.ts'
import { SteadyLoad } from './steady-load.ts'

/**
 * Readers that connect and go away, at any moment and in every way, leave nothing behind. The server runs in
 * this process, so that its handles and its heap can be looked at; what the readers would leave shows as well.
 */
const CYCLES = size('TAILS_ABANDONED', 2000)
const AT_ONCE = 20
const WARM_UP = 300
const RATE = 200_000
const PARTITIONS = 4
const TOPIC = 'left'
/** A kept tail, socket or answer has several KB; what V8 compiles meanwhile is 0.5 to 1 MB, after 10,000 as after 2,000. */
const MOST_KEPT_BYTES = 1000
/** Connections to Postgres keep buffers as large as the largest answers they had. */
const MOST_BUFFERS = 16 * 2 ** 20

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

let database: TestDatabase
let node: BrokerNode
let app: FastifyInstance
let url: string
beforeAll(async () => {
  database = await createTestDatabase()
  node = startBrokerNode(database.url, true)
  const log = createLogger('silent')
  app = await createApp(node.broker, {
    log,
    version: '0.0.0',
    allowed_origins: [],
    public_url: undefined,
  })
  url = await app.listen({ port: 0, host: '127.0.0.1' })
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ name: TOPIC, partitions: PARTITIONS })
  expect((await fetch(`${url}/v1/topics`, { method: 'POST', headers, body })).status).toBe(201)
})
afterAll(async () => {
  await closeApp(app)
  await node.stop()
  await database.drop()
})

it.each(RAW_FORMS)('abandoned tails leave nothing behind, %s', async (form) => {
  const random = new Random(SEED, RAW_FORMS.indexOf(form))
  await abandonMany(form, WARM_UP, random)
  const before = await whenQuiet()
  const heard = await abandonMany(form, CYCLES, random)
  const after = await whenQuiet()
  const kept = (after.heap - before.heap) / CYCLES
  console.log(
    `${form}: ${String(CYCLES)} abandoned, ${String(heard)} of them after records; ${show(before)}; then ${show(after)}; ` +
      `${kept.toFixed(0)} bytes a cycle (SEED=${String(SEED)})`,
  )
  expect(heard).toBeGreaterThan(CYCLES / 10)
  expect(after.tails).toBe(0)
  expect(after.files).toBeLessThanOrEqual(before.files)
  expect(after.resources).toBeLessThanOrEqual(before.resources)
  expect(kept).toBeLessThan(MOST_KEPT_BYTES)
  expect(after.buffers - before.buffers).toBeLessThan(MOST_BUFFERS)
})

/** Connects and abandons so many times while records come; of how many had something come? */
async function abandonMany(form: RawForm, count: number, random: Random): Promise<number> {
  const load = new SteadyLoad(url, TOPIC, PARTITIONS)
  let begun = 0
  let heard = 0
  const one = async () => {
    while (begun++ < count) if (await abandonOne(form, random)) heard++
  }
  let over = false
  const loading = load.runUntil(RATE, () => over)
  await Promise.all(Array.from({ length: AT_ONCE }, one))
  over = true
  await loading
  load.close()
  return heard
}

/** Opens a tail, reads it or not, and leaves at some moment; had anything been read? */
async function abandonOne(form: RawForm, random: Random): Promise<boolean> {
  const from = random.pick(['earliest', 'latest', '-100'])
  const socket = openRawTail(url, form, `/v1/topics/${TOPIC}/tail?from=${from}`)
  if (random.chance(0.8)) socket.resume()
  await leaveLater(socket, random)
  const closed = once(socket, 'close')
  leave(socket, random)
  await closed
  return socket.bytesRead > 0
}

/** At once, as soon as there is an answer, or some time later. */
async function leaveLater(socket: Socket, random: Random): Promise<void> {
  if (random.chance(0.3)) await random.moment()
  else if (random.chance(0.5)) await Promise.race([once(socket, 'data'), sleep(50)])
  else await sleep(random.below(60))
}

/** With a FIN, of one direction or of both, or with a reset. */
function leave(socket: Socket, random: Random): void {
  switch (random.below(3)) {
    case 0:
      socket.resume().end()
      return
    case 1:
      socket.resetAndDestroy()
      return
    default:
      socket.destroy()
  }
}

/** Connections to Postgres not among them: how many there are depends on how much went on at once. */
interface Holdings {
  files: number
  /** Sockets, timers and requests that Node holds. */
  resources: number
  tails: number
  heap: number
  buffers: number
}

/** What is held once nothing has gone on for a while. */
async function whenQuiet(): Promise<Holdings> {
  await sleep(10_000)
  return holdings()
}

async function holdings(): Promise<Holdings> {
  collectGarbage()
  const { hub, pools } = node.broker
  const files = (await readdir('/proc/self/fd')).length
  const resources = process.getActiveResourcesInfo().length
  const connections = [pools.append, pools.waiting, pools.read]
  const total = connections.reduce((sum, pool) => sum + pool.totalCount, 0)
  // Each has a timer, too, that closes it one day.
  const idle = connections.reduce((sum, pool) => sum + pool.idleCount, 0)
  const { heapUsed, external } = process.memoryUsage()
  return {
    files: files - total,
    resources: resources - total - idle,
    tails: hub.size,
    heap: heapUsed,
    buffers: external,
  }
}

function show({ files, resources, tails, heap, buffers }: Holdings): string {
  const memory = `${megabytes(heap)} heap, ${megabytes(buffers)} buffers`
  return `${String(files)} files, ${String(resources)} resources, ${String(tails)} tails, ${memory}`
}
