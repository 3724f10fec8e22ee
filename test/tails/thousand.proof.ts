import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { startServerProcess, type ServerProcess } from '../support/process.ts'
import { latencies } from './figures.ts'
import { ProcessWatch } from './process-watch.ts'
import { size } from './random.ts'
import { openRawTail, RAW_FORMS } from './raw-tail.ts'

/** A thousand readers of one topic, of all forms, while a hundred records a second come one by one. */
const READERS = size('TAILS_THOUSAND', 1000)
const SECONDS = size('TAILS_THOUSAND_SECONDS', 30)
const RATE = 100
const PARTITIONS = 4
const TOPIC = 'popular'
/** For the last ones to arrive. */
const REST_MS = 10_000

let database: TestDatabase
let server: ServerProcess
beforeAll(async () => {
  database = await createTestDatabase()
  server = await startServerProcess({ DATABASE_URL: database.url, TAILRACE_LOG_LEVEL: 'error' })
  const body = JSON.stringify({ name: TOPIC, partitions: PARTITIONS })
  expect((await post('/v1/topics', body)).status).toBe(201)
})
afterAll(async () => {
  await server.stop()
  await database.drop()
})

const RECORD = /"partition":(\d+),"offset":(\d+),[^\n]*?"at":(\d+\.\d+)\}/g

/** The next offset it expects of each partition; what comes out of turn is kept. */
class CountingReader {
  readonly next = new Array<number>(PARTITIONS).fill(0)
  readonly wrong: string[] = []
  readonly late: number[] = []
  readonly socket: Socket
  #rest = ''

  constructor(socket: Socket) {
    this.socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => this.#take(text)).resume()
  }

  #take(text: string): void {
    const found = this.#rest + text
    let end = 0
    for (const match of found.matchAll(RECORD)) {
      this.#count(Number(match[1]), Number(match[2]), Number(match[3]))
      end = match.index + match[0].length
    }
    this.#rest = found.slice(end)
  }

  #count(partition: number, offset: number, at: number): void {
    if (offset !== this.next[partition]) {
      this.wrong.push(`${String(partition)}:${String(offset)} for ${String(this.next[partition])}`)
    }
    this.next[partition] = offset + 1
    this.late.push(performance.now() - at)
  }
}

it('a thousand readers receive every record', async () => {
  const readers = Array.from({ length: READERS }, (_, k) => openReader(k))
  await sleep(2_000)
  const written = new Array<number>(PARTITIONS).fill(0)
  const watch = new ProcessWatch(server.child.pid ?? 0)
  const began = performance.now()
  for (let n = 0; n < RATE * SECONDS; n++) {
    await sleep(Math.max(0, began + (n * 1000) / RATE - performance.now()))
    void produceOne(n, written)
  }
  const sent = () => written.reduce((sum, count) => sum + count, 0)
  await until(() => sent() === RATE * SECONDS)
  await until(() => readers.every(({ next }) => String(next) === String(written)))
  const cores = watch.cores(began, performance.now())
  await watch.stop()
  const late = readers.flatMap((reader) => reader.late)
  for (const { socket } of readers) socket.destroy()
  console.log(
    `${String(READERS)} readers, ${String(sent())} records at ${String(RATE)}/s, ` +
      `${String(late.length)} received, all in one process; from produce to receipt ` +
      `${latencies(late)}; the server used ${cores.toFixed(2)} cores`,
  )
  expect(readers.flatMap(({ wrong }) => wrong)).toEqual([])
  for (const { next } of readers) expect(next).toEqual(written)
  expect(late.length).toBe(READERS * RATE * SECONDS)
})

function openReader(k: number): CountingReader {
  const form = RAW_FORMS[k % RAW_FORMS.length] ?? 'ndjson'
  const path = `/v1/topics/${TOPIC}/tail?from=earliest`
  return new CountingReader(openRawTail(server.url, form, path))
}

async function produceOne(n: number, written: number[]): Promise<void> {
  const partition = n % PARTITIONS
  // Always with a fraction, by which it is found.
  const at = performance.now().toFixed(3)
  const body = `{"records":[{"partition":${String(partition)},"value":{"n":${String(n)},"at":${at}}}]}`
  expect((await post(`/v1/topics/${TOPIC}/records`, body)).status).toBe(200)
  written[partition] = (written[partition] ?? 0) + 1
}

function post(path: string, body: string): Promise<Response> {
  const headers = { 'content-type': 'application/json' }
  return fetch(server.url + path, { method: 'POST', headers, body })
}

async function until(isSo: () => boolean): Promise<void> {
  const end = performance.now() + REST_MS
  while (!isSo() && performance.now() < end) await sleep(50)
}
