import { startTestServer, type TestServer } from './server.ts'

/** A server that a test file has for itself, from before its first test to after its last. */
export class OwnServer {
  #server: TestServer | undefined

  get server(): TestServer {
    if (!this.#server) throw new Error('the server is started before the first test')
    return this.#server
  }

  async start(environment: Record<string, string> = {}): Promise<void> {
    this.#server = await startTestServer(environment)
  }
}

/** Calls that know the server they go to, once it is there. */
export function withServer<Calls extends object>(
  calls: Calls,
  own: OwnServer,
): Calls & Pick<OwnServer, 'server'> {
  return Object.defineProperty(calls, 'server', { get: () => own.server }) as Calls &
    Pick<OwnServer, 'server'>
}
