import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { post, Poster } from './load.ts'
import type { Figure } from './rounds.ts'
import { benchRecord, benchRecords } from './records.ts'
import type { Stage } from './stage.ts'
import { TailReader } from './tail-reader.ts'

/** What live tails cost and how late they are. */

const SENDS = 1500
const PACE_MS = 4
const IDLE = 1000

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? 0
}

interface Latencies {
  acknowledged: number[]
  received: number[]
}

/** One record after the other, at a steady pace: how long to the acknowledgement, and to a tail's receipt. */
async function latencies(producePort: number, tailPort: number, topic: string): Promise<Latencies> {
  const request = (n: number) =>
    post(`/t/${topic}`, 'application/json', JSON.stringify(benchRecord(n)))
  const producer = await Poster.open(producePort)
  await producer.send(request(0))
  const sent: number[] = []
  const received: number[] = []
  const reader = await TailReader.open(tailPort, `/t/${topic}?from=latest`, (line) => {
    received.push(performance.now() - (sent[line - 1] ?? 0))
  })
  const acknowledged: number[] = []
  for (let n = 0; n < SENDS; n++) {
    sent.push(performance.now())
    await producer.send(request(n))
    acknowledged.push(performance.now() - (sent[n] ?? 0))
    await sleep(PACE_MS)
  }
  await reader.until(SENDS)
  reader.close()
  producer.close()
  // The first ones compile the code they run through.
  return { acknowledged: acknowledged.slice(200), received: received.slice(200) }
}

export async function tailLatency(stage: Stage): Promise<Figure[]> {
  const { acknowledged, received } = await latencies(stage.port, stage.port, 'tail-near')
  const ratio = percentile(received, 0.5) / percentile(acknowledged, 0.5)
  const extra = percentile(received, 0.99) - percentile(acknowledged, 0.99)
  return [
    { name: 'tail_p50_ratio', value: ratio, reach: 2, unit: 'of the produce round trip' },
    { name: 'tail_p99_extra_ms', value: extra, reach: 15, unit: 'ms over its p99' },
  ]
}

export async function crossNodeLatency(stage: Stage): Promise<Figure[]> {
  const other = await stage.startNode()
  try {
    // Until it listens, it polls.
    await sleep(1000)
    const { received } = await latencies(stage.port, other.port, 'tail-far')
    const p99 = percentile(received, 0.99)
    return [{ name: 'cross_node_p99_ms', value: p99, unit: 'ms from produce to the other node' }]
  } finally {
    await other.close()
  }
}

async function residentKb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1])
}

export async function idleTails(stage: Stage): Promise<Figure[]> {
  const path = '/v1/topics/tail-idle/tail'
  const producer = await Poster.open(stage.port)
  await producer.send(post('/t/tail-idle', 'text/plain', 'x'))
  producer.close()
  const open = (count: number) =>
    Promise.all(Array.from({ length: count }, () => TailReader.open(stage.port, path)))
  // The first connections grow what later ones reuse.
  for (const reader of await open(IDLE)) reader.close()
  await sleep(1000)
  const before = await residentKb(stage.pid)
  const readers = await open(IDLE)
  await sleep(1000)
  const value = ((await residentKb(stage.pid)) - before) / IDLE
  for (const reader of readers) reader.close()
  return [{ name: 'tail_idle_kb', value, reach: 40, unit: 'KB resident per idle tail' }]
}

/** Batches of 100 records as fast as they are acknowledged; counted until every subscriber has every one. */
async function fanOut(stage: Stage, subscribers: number, batches: number): Promise<Figure> {
  const topic = `fan-out-${String(subscribers)}`
  const request = post(
    `/v1/topics/${topic}/records`,
    'application/json',
    JSON.stringify({ records: benchRecords(100) }),
  )
  const producer = await Poster.open(stage.port)
  await producer.send(request)
  const readers = await Promise.all(
    Array.from({ length: subscribers }, () =>
      TailReader.open(stage.port, `/t/${topic}?from=latest`),
    ),
  )
  const started = performance.now()
  for (let n = 0; n < batches; n++) await producer.send(request)
  await Promise.all(readers.map((reader) => reader.until(batches * 100)))
  const seconds = (performance.now() - started) / 1000
  for (const reader of readers) reader.close()
  producer.close()
  const value = (subscribers * batches * 100) / seconds
  const unit = `records/s delivered to ${String(subscribers)}`
  return { name: `tail_fan_out_${String(subscribers)}`, value, unit }
}

export async function tailFanOut(stage: Stage): Promise<Figure[]> {
  return [
    await fanOut(stage, 1, 2000),
    await fanOut(stage, 100, 200),
    await fanOut(stage, 1000, 20),
  ]
}
