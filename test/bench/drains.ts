import { post, run } from './load.ts'
import { benchRecords } from './records.ts'
import type { Contest } from './rounds.ts'
import type { Stage } from './stage.ts'

const CONNECTIONS = 64
const SECONDS = 3
/** About what Logplex puts into one request. */
const LINES = 800

/** What a web app's drain brings: four lines of its own for each of the router's. */
function line(k: number): string {
  const time = `2026-11-21T09:41:06.${String(100_000 + k)}+00:00`
  if (k % 5 !== 0) {
    const text = `order ${String(1_000_000 + k)} of user-${String(k % 500)} paid`
    return `<190>1 ${time} host app web.${String((k % 4) + 1)} - ${text}\n`
  }
  const fields = [
    `at=info method=GET path="/orders/${String(k)}?page=2" host=shop.example.com`,
    `request_id=8f1d2c3b-4a5e-4f60-9b7a-${String(100_000_000_000 + k)} fwd="203.0.113.7"`,
    `dyno=web.${String((k % 4) + 1)} connect=1ms service=${String((k % 90) + 4)}ms status=200 bytes=${String(900 + k)} protocol=https`,
  ]
  return `<158>1 ${time} host heroku router - ${fields.join(' ')}\n`
}

function body(): string {
  const lines = Array.from({ length: LINES }, (_, k) => line(k))
  return lines.map((text) => `${String(text.length)} ${text}`).join('')
}

/** A frame whose id no other has, on each call: a number in its place in the bytes of one made beforehand. */
function frames(credential: string): () => Buffer {
  const digits = '0'.repeat(12)
  const authorization = `Basic ${Buffer.from(`logs:${credential}`).toString('base64')}`
  const head = `logplex-frame-id: ${digits}\r\nlogplex-drain-token: d.01234567-89ab-cdef-0123-456789abcdef\r\nauthorization: ${authorization}`
  const request = Buffer.from(
    post('/drains/bench', 'application/logplex-1', body())
      .toString('latin1')
      .replace('host: bench', `host: bench\r\n${head}`),
    'latin1',
  )
  const at = request.indexOf(digits)
  let frame = 0
  return () => {
    const next = Buffer.from(request)
    next.write(String(++frame).padStart(digits.length, '0'), at, 'latin1')
    return next
  }
}

async function createDrain(stage: Stage): Promise<string> {
  const url = `http://127.0.0.1:${String(stage.port)}/v1/drains`
  const headers = { 'content-type': 'application/json' }
  const drain = JSON.stringify({ name: 'bench' })
  const made = await fetch(url, { method: 'POST', headers, body: drain })
  if (made.status === 201) return ((await made.json()) as { credential: string }).credential
  const rotated = await fetch(`${url}/bench/rotate`, { method: 'POST', headers, body: '{}' })
  return ((await rotated.json()) as { credential: string }).credential
}

/** Logplex bodies, parsed and stored once, against as many plain records of 110 bytes in requests of as many. */
export function drainLines(stage: Stage): Contest {
  const records = benchRecords(LINES)
  const plain = post('/v1/topics/plain/records', 'application/json', JSON.stringify({ records }))
  const rate = async (request: () => Buffer) => {
    const load = { port: stage.port, connections: CONNECTIONS, seconds: SECONDS, request }
    return (await run(load)).requests_per_s * LINES
  }
  return {
    name: 'drain_lines_per_s',
    reach: 0.5,
    unit: 'lines/s',
    against: 'as many plain records',
    ours: async () => rate(frames(await createDrain(stage))),
    theirs: () => rate(() => plain),
  }
}
