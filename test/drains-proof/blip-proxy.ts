import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'

/** What stands before a receiver and spoils things for a moment. */
export type Blip = 'none' | 'reset' | '503'

const TROUBLE = 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n'

/** A proxy for one receiver; while there is a blip it answers requests itself, or cuts them off. */
export class BlipProxy {
  blip: Blip = 'none'
  readonly #target: URL
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer((client) => this.#take(client))

  private constructor(target: URL) {
    this.#target = target
  }

  static async open(target: string): Promise<BlipProxy> {
    const proxy = new BlipProxy(new URL(target))
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  /** The receiver's, with another port. */
  get url(): string {
    const url = new URL(this.#target)
    url.port = String((this.#server.address() as AddressInfo).port)
    return url.href
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }

  #take(client: Socket): void {
    const receiver = connect(Number(this.#target.port), this.#target.hostname)
    for (const [one, other] of [
      [client, receiver],
      [receiver, client],
    ] as const) {
      this.#sockets.add(one)
      one.on('error', () => undefined)
      one.on('close', () => {
        this.#sockets.delete(one)
        other.destroy()
      })
    }
    client.on('data', (chunk) => this.#pass(chunk, client, receiver))
    receiver.on('data', (chunk) => client.write(chunk))
  }

  #pass(chunk: Buffer, client: Socket, receiver: Socket): void {
    if (this.blip === 'none') receiver.write(chunk)
    else if (this.blip === 'reset') client.resetAndDestroy()
    else client.write(TROUBLE)
  }
}
