import { afterAll, beforeAll } from 'vitest'
import { GroupCalls } from './group-calls.ts'
import { startNodes, type Nodes } from './nodes.ts'
import { OwnServer, withServer } from './own-server.ts'

/** At the top of a file; what else it prepares goes into a beforeAll of its own behind this. */
export function useGroups(): GroupCalls & Pick<OwnServer, 'server'> {
  const own = new OwnServer()
  beforeAll(() => own.start())
  afterAll(() => own.server.stop())
  return withServer(new GroupCalls(() => own.server.url), own)
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
