import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { LIMITS } from '../contract/limits.ts'
import type { DatabaseAddress } from './pool.ts'

/** What a node hears of and does about the appends of others. Hints only: nothing depends on their arrival. */
export interface NotificationListener {
  /** Another node appended to this partition, up to this high watermark. */
  appended: (partitionId: number, highWatermark: number) => void
  /** From here on notifications arrive; what came before was not heard. */
  listening: () => void
  /** Notifications stopped arriving, or never did; polling goes on without them. Told once. */
  deaf: (reason: unknown) => void
}

const CHANNEL = 'tailrace_appended'
/** Postgres allows 8,000 bytes; an entry has at most 34. */
const ENTRIES = 200
const RETRY_MS = 1_000
const LAST_RETRY_MS = 30_000

/**
 * Tells other nodes of appends by NOTIFY and hears of theirs by LISTEN, over one connection of its own and
 * never in a transaction that writes: NOTIFY takes a lock that all committers share.
 *
 *   connecting --LISTEN, and its own test message came back--> listening
 *   listening  --a test message is missing, the connection is lost--> deaf, connecting again
 *
 * The test message is the only way to know: behind a pooler in transaction mode LISTEN succeeds, and
 * nothing ever comes; a half-open connection looks just as well.
 */
export class Notifications {
  readonly #address: DatabaseAddress
  readonly #listener: NotificationListener
  readonly #node = randomUUID()
  readonly #appended = new Map<number, number>()
  #client: pg.Client | undefined
  #listening = false
  #telling = false
  #closed = false
  #timer: NodeJS.Timeout | undefined
  #awaited: { token: string; heard: () => void } | undefined
  #tests = 0
  #sent: Promise<unknown> = Promise.resolve()
  #isDeaf = false
  #retryMs = RETRY_MS

  constructor(address: DatabaseAddress, listener: NotificationListener) {
    this.#address = address
    this.#listener = listener
  }

  /** Begins to listen; goes on trying until closed. */
  start(): void {
    void this.#connect()
  }

  /** Other nodes are told soon, together with what else is appended meanwhile. */
  tell(partitionId: number, highWatermark: number): void {
    if (!this.#listening) return
    this.#appended.set(partitionId, highWatermark)
    if (this.#telling) return
    this.#telling = true
    setTimeout(() => void this.#tellAll(), LIMITS.notify_ms).unref()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#awaited?.heard()
    const client = this.#client
    this.#client = undefined
    await client?.end().catch(() => undefined)
  }

  async #connect(): Promise<void> {
    if (this.#closed) return
    const client = new pg.Client({
      ...this.#address,
      keepAlive: true,
      connectionTimeoutMillis: LIMITS.connect_timeout_ms,
      query_timeout: LIMITS.listen_answer_ms,
      application_name: 'tailrace listen',
    })
    this.#client = client
    client.on('error', (error) => this.#lost(client, error))
    client.on('end', () => this.#lost(client, new Error('the connection ended')))
    client.on('notification', ({ payload = '' }) => this.#heard(payload))
    try {
      await client.connect()
      await client.query(`listen ${CHANNEL}`)
      await this.#test(client, LIMITS.listen_first_ms)
      if (this.#client !== client) return
      this.#listening = true
      this.#isDeaf = false
      this.#retryMs = RETRY_MS
      this.#listener.listening()
      this.#testSoon(client)
    } catch (error) {
      this.#lost(client, error)
    }
  }

  #lost(client: pg.Client, reason: unknown): void {
    if (this.#client !== client) return
    this.#client = undefined
    this.#listening = false
    clearTimeout(this.#timer)
    client.end().catch(() => undefined)
    if (this.#closed) return
    this.#appended.clear()
    if (!this.#isDeaf) this.#listener.deaf(reason)
    this.#isDeaf = true
    this.#timer = setTimeout(() => void this.#connect(), this.#retryMs)
    this.#timer.unref()
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS)
  }

  #testSoon(client: pg.Client): void {
    this.#timer = setTimeout(() => {
      this.#test(client, LIMITS.listen_answer_ms).then(
        () => {
          if (this.#client === client) this.#testSoon(client)
        },
        (error: unknown) => this.#lost(client, error),
      )
    }, LIMITS.listen_check_ms)
    this.#timer.unref()
  }

  /** Sends a message to itself and waits for it. */
  async #test(client: pg.Client, waitMs: number): Promise<void> {
    const token = `?${this.#node} ${String(++this.#tests)}`
    let timer: NodeJS.Timeout | undefined
    const arrival = new Promise<void>((resolve, reject) => {
      this.#awaited = { token, heard: resolve }
      timer = setTimeout(() => {
        reject(new Error('LISTEN brings nothing: behind a pooler in transaction mode it cannot'))
      }, waitMs)
    })
    // The query may fail first; then nobody waits for the arrival.
    arrival.catch(() => undefined)
    try {
      await this.#send(client, token)
      await arrival
    } finally {
      clearTimeout(timer)
      this.#awaited = undefined
    }
  }

  #heard(payload: string): void {
    if (payload === this.#awaited?.token) this.#awaited.heard()
    const [node, entries] = payload.split(' ', 2)
    if (node === this.#node || entries === undefined || payload.startsWith('?')) return
    for (const entry of entries.split(',')) {
      const [id, highWatermark] = entry.split(':').map(Number)
      if (!Number.isSafeInteger(id) || !Number.isSafeInteger(highWatermark)) continue
      this.#listener.appended(id as number, highWatermark as number)
    }
  }

  async #tellAll(): Promise<void> {
    const client = this.#client
    try {
      while (client && client === this.#client && this.#appended.size > 0) {
        const entries = [...this.#appended].slice(0, ENTRIES)
        for (const [id] of entries) this.#appended.delete(id)
        const text = entries.map(([id, end]) => `${String(id)}:${String(end)}`).join(',')
        await this.#send(client, `${this.#node} ${text}`)
      }
    } catch (error) {
      if (client) this.#lost(client, error)
    } finally {
      this.#telling = false
    }
  }

  /** One message after the other; pg would queue them itself, but not for long any more. */
  #send(client: pg.Client, payload: string): Promise<unknown> {
    const sent = this.#sent.then(() => client.query('select pg_notify($1, $2)', [CHANNEL, payload]))
    this.#sent = sent.catch(() => undefined)
    return sent
  }
}
