import { readFile } from 'node:fs/promises'

/** What lies in the system's send buffers of a server (Linux), and for how long nothing was taken from it. */
export class KernelQueues {
  readonly #port: string
  /** By the client's port. */
  readonly #queues = new Map<number, { bytes: number; since: number }>()

  constructor(serverUrl: string) {
    this.#port = hex(Number(new URL(serverUrl).port))
  }

  /** Looks again; call every second or so. */
  async look(): Promise<void> {
    const now = performance.now()
    const found = new Map<number, number>()
    for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
      const table = await readFile(file, 'utf8').catch(() => '')
      for (const line of table.split('\n')) {
        const [, local = '', remote = '', , queues = ''] = line.trim().split(/\s+/)
        if (!local.endsWith(`:${this.#port}`)) continue
        found.set(parseInt(remote.split(':')[1] ?? '', 16), parseInt(queues, 16))
      }
    }
    for (const port of this.#queues.keys()) if (!found.has(port)) this.#queues.delete(port)
    for (const [port, bytes] of found) {
      if (this.#queues.get(port)?.bytes !== bytes) this.#queues.set(port, { bytes, since: now })
    }
  }

  /** Is something queued for this client that has not changed for so long? */
  isStuck(clientPort: number | undefined, ms: number): boolean {
    const queue = this.#queues.get(clientPort ?? 0)
    return queue !== undefined && queue.bytes > 0 && performance.now() - queue.since >= ms
  }

  /** In all of them. */
  get bytes(): number {
    return [...this.#queues.values()].reduce((sum, { bytes }) => sum + bytes, 0)
  }
}

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0')
}
