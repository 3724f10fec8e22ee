import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** Records of 1 KB in batches at a steady rate; the first of each batch says when it was sent. */

const RECORDS = 200
const VALUE_CHARS = 1000
const SENDERS = 4
/** Microseconds in as many digits as it always has. */
const DIGITS = 13
const AT = '"at":"'

/** Now, in ms; what was sent with it is read in the same process. */
const stamp = () => String(Math.round(performance.now() * 1000)).padStart(DIGITS, '0')

/** How long ago what is in `data` was sent, in ms, for each batch that begins in it. */
export function ages(data: Buffer): number[] {
  const now = performance.now()
  const found: number[] = []
  for (let at = data.indexOf(AT); at >= 0; at = data.indexOf(AT, at + AT.length)) {
    const digits = data.toString('latin1', at + AT.length, at + AT.length + DIGITS)
    // What is cut off between two chunks is no sample.
    if (digits.length === DIGITS) found.push(now - Number(digits) / 1000)
  }
  return found
}

export class SteadyLoad {
  sent_bytes = 0
  readonly #url: URL
  readonly #partitions: number
  readonly #agent = new Agent({ keepAlive: true, maxSockets: SENDERS })

  constructor(url: string, topic: string, partitions: number) {
    this.#url = new URL(`${url}/v1/topics/${topic}/records`)
    this.#partitions = partitions
  }

  run(bytesPerSecond: number, seconds: number): Promise<number> {
    const end = performance.now() + seconds * 1000
    return this.runUntil(bytesPerSecond, () => performance.now() >= end)
  }

  /** Sends until it is over; gives the bytes a second that were acknowledged. */
  async runUntil(bytesPerSecond: number, isOver: () => boolean): Promise<number> {
    const began = performance.now()
    const before = this.sent_bytes
    let batch = 0
    const sendOn = async () => {
      while (!isOver()) {
        const due = began + (batch * RECORDS * 1024 * 1000) / bytesPerSecond
        const body = this.#body(batch++ % this.#partitions)
        await sleep(Math.max(0, due - performance.now()))
        await this.#send(body())
        this.sent_bytes += RECORDS * 1024
      }
    }
    await Promise.all(Array.from({ length: SENDERS }, sendOn))
    return ((this.sent_bytes - before) / (performance.now() - began)) * 1000
  }

  /** Made at the last moment, with the time in it. */
  #body(partition: number): () => Buffer {
    const record = (value: string) => `{"partition":${String(partition)},"value":"${value}"}\n`
    const rest = record('x'.repeat(VALUE_CHARS)).repeat(RECORDS - 1)
    const pad = 'x'.repeat(VALUE_CHARS - DIGITS)
    return () => {
      const first = `{"partition":${String(partition)},"value":{${AT}${stamp()}","pad":"${pad}"}}\n`
      return Buffer.from(first + rest, 'latin1')
    }
  }

  #send(body: Buffer): Promise<void> {
    const headers = { 'content-type': 'application/x-ndjson', 'content-length': body.length }
    return new Promise((resolve, reject) => {
      const sending = request(
        this.#url,
        { method: 'POST', agent: this.#agent, headers },
        (answer) => {
          answer.resume()
          answer.on('end', () => {
            if (answer.statusCode === 200) resolve()
            else reject(new Error(`produce was answered with ${String(answer.statusCode)}`))
          })
        },
      )
      sending.on('error', reject)
      sending.end(body)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}
