import { Agent, request, type OutgoingHttpHeaders } from 'node:http'
import { send } from '../../src/client/index.ts'
import type { DrainLine } from '../../src/contract/drain-lines.ts'
import * as routes from '../../src/contract/drain-routes.ts'
import type { CreateDrain, Drain, DrainWithCredential } from '../../src/contract/drains.ts'
import { ask, type Answer } from './answers.ts'

/** Who sends what to a drain, beside the body. */
export interface Sending {
  headers?: OutgoingHttpHeaders
  /** As it stands in the URL, without `?`. */
  query?: string
  /** Below the drain's path, such as `/v1/logs`. */
  below?: string
}

/** As a fetch gives it. */
export interface StoredRecord {
  key?: string
  value: unknown
  headers?: Record<string, string>
}

type NewDrain = Partial<Omit<CreateDrain, 'name'>>

export const LOGPLEX = 'application/logplex-1'
/** What Logplex sends beside its lines; `frame` names the request. */
export const fromLogplex = (frame?: string) => ({
  'content-type': LOGPLEX,
  'logplex-drain-token': 'd.fc6b856b-3332-4546-93de-7d0ee272c3bd',
  ...(frame === undefined ? {} : { 'logplex-frame-id': frame }),
})

/** Basic, as senders make it of `https://logs:secret@host`. */
export const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

/** The calls of a drain's owner, and of those who send to it, to one node. */
export class DrainCalls {
  #sent = 0
  readonly #url: () => string
  /** As senders have it: one connection for many frames. */
  readonly #agent = new Agent({ keepAlive: true })
  readonly #credentials = new Map<string, string>()

  /** Of a node that is up, or will be by the time of the first call. */
  constructor(url: string | (() => string)) {
    this.#url = typeof url === 'string' ? () => url : url
  }

  get url(): string {
    return this.#url()
  }

  /** Closes the connections of senders. */
  hangUp(): void {
    this.#agent.destroy()
  }

  async create(name: string, body: NewDrain = {}): Promise<DrainWithCredential> {
    const drain = await ask(this.url, routes.createDrain, { body: { name, ...body } })
    this.know(drain)
    return drain
  }

  tryCreate(body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return send(this.url, routes.createDrain, { body: body as CreateDrain, headers })
  }

  /** Sends to this drain with its credential from now on. */
  know({ name, credential }: Pick<DrainWithCredential, 'name' | 'credential'>): void {
    this.#credentials.set(name, credential)
  }

  /** What the drain has counted. */
  describe(drain: string): Promise<Drain> {
    return ask(this.url, routes.getDrain, { params: { drain } })
  }

  async rotate(drain: string, graceMs?: number): Promise<DrainWithCredential> {
    const body = graceMs === undefined ? {} : { grace_ms: graceMs }
    return ask(this.url, routes.rotateDrain, { params: { drain }, body })
  }

  remove(drain: string): Promise<void> {
    return ask(this.url, routes.deleteDrain, { params: { drain } })
  }

  list(query: { limit?: number; after?: string; prefix?: string } = {}) {
    return ask(this.url, routes.listDrains, { query })
  }

  /** Sends a body with the drain's credential, as its sender would; gives what came. */
  post(drain: string, body: string | Uint8Array, sending: Sending = {}): Promise<Answer> {
    const authorization = basic('logs', this.#credentials.get(drain) ?? '')
    const headers = { authorization, ...sending.headers }
    return this.call('POST', drain, { ...sending, headers }, body)
  }

  /** Sends a body to a drain of its own. */
  async send(body: string | Uint8Array, type: string, headers = {}) {
    const drain = `body-${++this.#sent}`
    await this.create(drain)
    const answer = await this.post(drain, body, { headers: { 'content-type': type, ...headers } })
    return { drain, answer }
  }

  /** A frame of Logplex, under an id if one is given. */
  postFrame(drain: string, body: string | Uint8Array, frame?: string): Promise<Answer> {
    return this.post(drain, body, { headers: fromLogplex(frame) })
  }

  /** Any request to the path that senders call, without a credential but for what is given. */
  call(
    method: string,
    drain: string,
    { headers = {}, query, below = '' }: Sending = {},
    body: string | Uint8Array = '',
  ): Promise<Answer> {
    const path = `/drains/${drain}${below}${query === undefined ? '' : `?${query}`}`
    return exchange(this.url + path, { method, headers, agent: this.#agent }, body)
  }

  /** The records of all partitions of a topic, one partition after the other, in the order of their offsets. */
  async records(topic: string, partitions = 1): Promise<StoredRecord[]> {
    const all: StoredRecord[][] = []
    for (let k = 0; k < partitions; k++) all.push(await recordsOf(this.url, topic, k))
    return all.flat()
  }

  /** The values of a topic with one partition. */
  async values(topic: string): Promise<DrainLine[]> {
    return (await this.records(topic)).map(({ value }) => value as DrainLine)
  }

  async messages(topic: string): Promise<string[]> {
    return (await this.values(topic)).map(({ message }) => message)
  }
}

function exchange(
  url: string,
  options: { method: string; headers: OutgoingHttpHeaders; agent: Agent },
  body: string | Uint8Array,
): Promise<Answer> {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  const length = bytes.length === 0 ? {} : { 'content-length': bytes.length }
  const headers = { ...length, ...options.headers }
  return new Promise((resolve, reject) => {
    const sending = request(url, { ...options, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers as Record<string, string>,
          text: Buffer.concat(chunks).toString(),
        })
      })
    })
    sending.on('error', reject)
    sending.end(bytes)
  })
}

async function recordsOf(url: string, topic: string, partition: number): Promise<StoredRecord[]> {
  const records: StoredRecord[] = []
  const path = `${url}/v1/topics/${topic}/partitions/${String(partition)}/records`
  for (let offset = '0'; ;) {
    const page = await fetch(`${path}?offset=${offset}&max_records=10000&max_bytes=16777216`, {
      headers: { accept: 'application/x-ndjson' },
    })
    const text = await page.text()
    if (!page.ok) throw new Error(text)
    for (const line of text.split('\n').slice(0, -1)) records.push(JSON.parse(line) as StoredRecord)
    if (text === '') return records
    offset = page.headers.get('tailrace-next-offset') ?? ''
  }
}
