import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { LIMITS } from '../../src/contract/limits.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { startServerProcess, type ServerProcess } from '../support/process.ts'
import { latencies, megabytes, quantile } from './figures.ts'
import { KernelQueues } from './kernel-queues.ts'
import { ProcessWatch } from './process-watch.ts'
import { size } from './random.ts'
import { openRawTail } from './raw-tail.ts'
import { ages, SteadyLoad } from './steady-load.ts'

/**
 * Readers that take nothing cost little memory, do not slow down those who read, and are sent away. One server
 * under one load, without them, with them, and without them again.
 *
 * They cannot be told from the fastest readers until the system's buffers are full: over loopback, where a
 * segment has 64 KB, Linux takes 3.6 MB for each. So for some seconds 400 of them are given what they seem to
 * ask for, 8 GB a second of which the server makes 0.2, and all readers get their share of that. This stage,
 * `filling`, is reported; what is promised holds from its end on. Measured in it: 70 to 200 MB more, nearly all
 * of it garbage of V8 that goes within seconds, and a p99 of 0.6 to 4 s.
 */
const SLOW = size('TAILS_SLOW_READERS', 200)
const SECONDS = size('TAILS_SLOW_SECONDS', 60)
const RATE = size('TAILS_SLOW_MB', 20) * 1e6
const PARTITIONS = 4
const WARM_UP_S = 10
const MOST_GROWTH = 100 * 2 ** 20
const MOST_RATIO = 2
/** After how long without taking anything some begin to read: the last words lie there for 5 s. */
const TRIES_MS = [1, 2.5, 4, 5.5, 7].map((s) => LIMITS.tail_stall_ms + s * 1000)
const TOPIC = 'flood'
const PATH = `/v1/topics/${TOPIC}/tail`

let database: TestDatabase
let server: ServerProcess
let watch: ProcessWatch
let queues: KernelQueues
beforeEach(async () => {
  database = await createTestDatabase()
  server = await startServerProcess({ DATABASE_URL: database.url, TAILRACE_LOG_LEVEL: 'error' })
  watch = new ProcessWatch(server.child.pid ?? 0)
  queues = new KernelQueues(server.url)
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ name: TOPIC, partitions: PARTITIONS })
  await fetch(`${server.url}/v1/topics`, { method: 'POST', headers, body })
})
afterEach(async () => {
  await watch.stop()
  await server.stop()
  await database.drop()
})

interface Slow {
  form: 'websocket' | 'sse'
  socket: Socket
}

interface Words {
  form: Slow['form']
  /** After how long it began to read. */
  ms: number
  text: string
}

interface Stage {
  from: number
  to: number
}

/** When each batch came to a fast reader, and how long after it was sent. */
const deliveries: { at: number; ms: number }[] = []

it('slow readers cost little, slow nobody down, and are sent away', async () => {
  const load = new SteadyLoad(server.url, TOPIC, PARTITIONS)
  const fast = Array.from({ length: PARTITIONS }, (_, partition) => openFast(partition))
  await load.run(RATE, WARM_UP_S)
  const without = await stage(() => load.run(RATE, SECONDS / 3))

  const slow = openSlow()
  let over = false
  const loading = load.runUntil(RATE, () => over)
  const filling = await stage(() => fill(slow))
  const blocked = { from: filling.to, to: filling.to + LIMITS.tail_stall_ms - 5_000 }
  const kernel = queues.bytes
  const going = watchThemGo(slow)
  const words = await hearLastWords(slow)
  const gone = await going
  const after = await stage(() => sleep((SECONDS / 3) * 1000))
  over = true
  const rate = await loading
  for (const socket of fast) socket.destroy()
  load.close()
  await sleep(3_000)

  const figures = {
    growth: watch.peak(blocked.from, blocked.to) - watch.peak(without.from, without.to),
    ratio: p99(blocked) / Math.max(p99(without), p99(after)),
    rate,
    kernel,
    first: gone.first - filling.to,
    last: gone.last - filling.to,
  }
  report({ without, filling, blocked, after }, figures, words)
  expect(rate).toBeGreaterThan(RATE / 2)
  expect(figures.growth).toBeLessThan(MOST_GROWTH)
  expect(figures.ratio).toBeLessThan(MOST_RATIO)
  expectWords(words)
  // Looked for twice a second, and heard for 5 s after their time is over.
  expect(figures.last).toBeLessThan(LIMITS.tail_stall_ms + 12_000)
})

/** Does this, and says from when to when. */
async function stage(work: () => Promise<unknown>): Promise<Stage> {
  const from = performance.now()
  await work()
  return { from, to: performance.now() }
}

function openFast(partition: number): Socket {
  const form = partition % 2 === 0 ? 'websocket' : 'sse'
  const socket = openRawTail(server.url, form, `${PATH}?partitions=${String(partition)}`)
  socket.on('data', (data: Buffer) => {
    const at = performance.now()
    for (const ms of ages(data)) deliveries.push({ at, ms })
  })
  return socket.resume()
}

function openSlow(): Slow[] {
  return Array.from({ length: 2 * SLOW }, (_, k) => {
    const form = k % 2 === 0 ? 'websocket' : 'sse'
    return { form, socket: openRawTail(server.url, form, PATH) }
  })
}

/** Until nothing more is taken for any of them; up to then the server cannot know that they are slow. */
async function fill(slow: readonly Slow[]): Promise<void> {
  do {
    await sleep(500)
    await queues.look()
  } while (!slow.every(({ socket }) => queues.isStuck(socket.localPort, 900)))
}

/** What some of each form hear who begin to read at about the time when they are sent away. */
async function hearLastWords(slow: readonly Slow[]): Promise<Words[]> {
  return Promise.all(
    slow.slice(0, 2 * TRIES_MS.length).map(async ({ form, socket }, k) => {
      const ms = TRIES_MS[k >> 1] ?? 0
      const port = socket.localPort
      while (queues.isStuck(port, 0) && !queues.isStuck(port, ms)) await sleep(100)
      return { form, ms, text: await read(socket) }
    }),
  )
}

/** All that comes until the server closes; where it does not, what has come within some time. */
function read(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  return new Promise((resolve) => {
    socket.on('data', (data: Buffer) => chunks.push(data))
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
    socket.resume()
    setTimeout(() => socket.destroy(), 1_000)
  })
}

/** A close frame: its opcode, its length, and 1013 in two bytes. */
const CLOSE_1013 = /\x88.\x03\xf5slow_consumer$/

function expectWords(words: readonly Words[]): void {
  const heard = words.filter(({ text }) => text.slice(-1000).includes('"code":"slow_consumer"'))
  for (const { form, text } of heard) {
    if (form === 'websocket') expect(text.slice(-1000)).toMatch(CLOSE_1013)
    else expect(text.slice(-1000)).toContain('event: problem\n')
  }
  expect(new Set(heard.map(({ form }) => form)).size).toBe(2)
}

/** When the server let go of the first and of the last of them. */
async function watchThemGo(slow: readonly Slow[]): Promise<{ first: number; last: number }> {
  const untouched = slow.slice(2 * TRIES_MS.length)
  let first = 0
  for (;;) {
    await sleep(500)
    await queues.look()
    const left = untouched.filter(({ socket }) => queues.isStuck(socket.localPort, 0)).length
    if (left < untouched.length) first ||= performance.now()
    if (left === 0) return { first, last: performance.now() }
  }
}

/** Of the deliveries to fast readers. */
function p99(stage: Stage): number {
  const ms = during(stage)
  // Of fewer it would be the worst of all.
  expect(ms.length).toBeGreaterThan(200)
  return quantile(ms, 0.99)
}

function during({ from, to }: Stage): number[] {
  return deliveries.filter(({ at }) => at >= from && at <= to).map(({ ms }) => ms)
}

function report(
  stages: Record<string, Stage>,
  figures: Record<'growth' | 'ratio' | 'rate' | 'kernel' | 'first' | 'last', number>,
  words: readonly Words[],
): void {
  const lines = Object.entries(stages).map(([name, stage]) => {
    const { from, to } = stage
    const use = `at most ${megabytes(watch.peak(from, to))}, ${watch.cores(from, to).toFixed(2)} cores`
    return `  ${name}, ${seconds(to - from)}: ${use}; fast readers ${latencies(during(stage))}`
  })
  const { growth, ratio, rate, kernel, first, last } = figures
  const heard = words.filter(({ text }) => text.includes('slow_consumer')).length
  console.log(
    [
      `${String(2 * SLOW)} readers that take nothing, ${megabytes(rate)}/s produced:`,
      ...lines,
      `  blocked: ${megabytes(growth)} more than without, p99 ${ratio.toFixed(2)} times the one without`,
      `  afterwards the server has ${megabytes(watch.samples.at(-1)?.resident ?? 0)}`,
      `  ${megabytes(kernel)} lay in the system's send buffers; sent away ${seconds(first)} to ${seconds(last)} after the ` +
        `last of them was full; ${String(heard)} of ${String(words.length)} that tried heard why`,
    ].join('\n'),
  )
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
