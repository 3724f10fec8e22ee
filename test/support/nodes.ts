import { createTestDatabase, type TestDatabase } from './postgres.ts'
import { startServerProcess, type ServerProcess } from './process.ts'

/** Several servers, each a process of its own, over one database. */
export interface Nodes {
  urls: string[]
  database: TestDatabase
  stop: () => Promise<void>
}

export async function startNodes(count: number): Promise<Nodes> {
  const database = await createTestDatabase()
  const environment = { DATABASE_URL: database.url, TAILRACE_LOG_LEVEL: 'error' }
  const started = await Promise.allSettled(
    Array.from({ length: count }, () => startServerProcess(environment)),
  )
  const nodes: ServerProcess[] = []
  for (const one of started) if (one.status === 'fulfilled') nodes.push(one.value)
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()))
    await database.drop()
  }
  if (nodes.length < count) {
    await stop()
    throw new Error('a node did not start', { cause: started })
  }
  return { urls: nodes.map(({ url }) => url), database, stop }
}
