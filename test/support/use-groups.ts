import { afterAll, beforeAll } from 'vitest'
import { GroupCalls } from './group-calls.ts'
import { startNodes, type Nodes } from './nodes.ts'
import { startTestServer, type TestServer } from './server.ts'

/** Calls to a server that a test file has for itself, from before its first test to after its last. */
class ServedGroups extends GroupCalls {
  #server: TestServer | undefined

  constructor() {
    super(() => this.server.url)
  }

  get server(): TestServer {
    if (!this.#server) throw new Error('the server is started before the first test')
    return this.#server
  }

  async start(): Promise<void> {
    this.#server = await startTestServer()
  }
}

/** At the top of a file; what else it prepares goes into a beforeAll of its own behind this. */
export function useGroups(): ServedGroups {
  const groups = new ServedGroups()
  beforeAll(() => groups.start())
  afterAll(() => groups.server.stop())
  return groups
}

/** The same for two nodes over one database. */
export function useGroupsOnNodes(): [GroupCalls, GroupCalls] {
  let nodes: Nodes | undefined
  beforeAll(async () => {
    nodes = await startNodes(2)
  })
  afterAll(() => nodes?.stop())
  const on = (index: number) => new GroupCalls(() => nodes?.urls[index] ?? '')
  return [on(0), on(1)]
}
