import { afterAll, beforeAll } from 'vitest'
import { DrainCalls } from './drain-calls.ts'
import { startNodes, type Nodes } from './nodes.ts'
import { startTestServer, type TestServer } from './server.ts'

/** Calls to a server that a test file has for itself, from before its first test to after its last. */
class ServedDrains extends DrainCalls {
  #server: TestServer | undefined

  constructor() {
    super(() => this.server.url)
  }

  get server(): TestServer {
    if (!this.#server) throw new Error('the server is started before the first test')
    return this.#server
  }

  async start(environment: Record<string, string>): Promise<void> {
    this.#server = await startTestServer(environment)
  }
}

/** At the top of a file; what else it prepares goes into a beforeAll of its own behind this. */
export function useDrains(environment: Record<string, string> = {}): ServedDrains {
  const drains = new ServedDrains()
  beforeAll(() => drains.start(environment))
  afterAll(async () => {
    drains.hangUp()
    await drains.server.stop()
  })
  return drains
}

/** The same for two nodes over one database. */
export function useDrainsOnNodes(): [DrainCalls, DrainCalls] {
  let nodes: Nodes | undefined
  const on = (index: number) => new DrainCalls(() => nodes?.urls[index] ?? '')
  const both: [DrainCalls, DrainCalls] = [on(0), on(1)]
  beforeAll(async () => {
    nodes = await startNodes(2)
  })
  afterAll(async () => {
    for (const one of both) one.hangUp()
    await nodes?.stop()
  })
  return both
}
