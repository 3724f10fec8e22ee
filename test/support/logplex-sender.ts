import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { basic, fromLogplex } from './drain-calls.ts'
import { frameOf } from './drain-frames.ts'

/** What a sender did with a frame at last. */
export type Fate = 'delivered' | 'dropped'

const TRIES = 3
/** So long Logplex waits for an answer. */
const PATIENCE_MS = 5_000

/**
 * Sends frames one after the other as Logplex does: 2xx is success, 4xx but 429 drops a frame, and anything else is
 * tried again at once, three times in all, under the same id. A connection that is refused costs no try.
 */
export class LogplexSender {
  /** Every answer that was had. */
  readonly statuses: number[] = []
  readonly #url: string
  readonly #authorization: string
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })

  constructor(url: string, credential: string) {
    this.#url = url
    this.#authorization = basic('logs', credential)
  }

  async send(id: string, text: string): Promise<Fate> {
    for (let tries = 0; tries < TRIES;) {
      const answer = await this.#try(id, frameOf(text))
      if (answer === 'refused') {
        await sleep(20)
        continue
      }
      tries++
      if (answer === 'broken') continue
      this.statuses.push(answer)
      if (answer >= 200 && answer < 300) return 'delivered'
      if (answer >= 400 && answer < 500 && answer !== 429) return 'dropped'
    }
    return 'dropped'
  }

  close(): void {
    this.#agent.destroy()
  }

  #try(id: string, body: Buffer): Promise<number | 'refused' | 'broken'> {
    const headers = {
      ...fromLogplex(id),
      authorization: this.#authorization,
      'content-length': body.length,
    }
    const options = { method: 'POST', headers, agent: this.#agent, timeout: PATIENCE_MS }
    return new Promise((resolve) => {
      const sending = request(this.#url, options, (response) => {
        response.resume()
        response.on('end', () => resolve(response.statusCode ?? 0))
        response.on('error', () => resolve('broken'))
      })
      sending.on('timeout', () => sending.destroy())
      sending.on('error', ({ code }: NodeJS.ErrnoException) =>
        resolve(code === 'ECONNREFUSED' ? 'refused' : 'broken'),
      )
      sending.end(body)
    })
  }
}
