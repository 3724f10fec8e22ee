import { afterAll, beforeAll } from 'vitest'
import { DrainCalls } from './drain-calls.ts'
import { startNodes, type Nodes } from './nodes.ts'
import { OwnServer, withServer } from './own-server.ts'

/** At the top of a file; what else it prepares goes into a beforeAll of its own behind this. */
export function useDrains(
  environment: Record<string, string> = {},
): DrainCalls & Pick<OwnServer, 'server'> {
  const own = new OwnServer()
  const drains = new DrainCalls(() => own.server.url)
  beforeAll(() => own.start(environment))
  afterAll(async () => {
    drains.hangUp()
    await own.server.stop()
  })
  return withServer(drains, own)
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
