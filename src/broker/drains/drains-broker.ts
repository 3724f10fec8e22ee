import { LIMITS } from '../../contract/limits.ts'
import type { Database } from '../../store/database.ts'
import { countDrains } from '../../store/drains.ts'
import { schemaVersion } from '../../store/migrate.ts'
import type { StorePools } from '../../store/pool.ts'
import { DrainDirectory } from './drain-directory.ts'
import { DrainOutage } from './outage.ts'
import { RouterWatch } from './router-watch.ts'
import { DrainTally } from './tally.ts'

/** What a node holds in memory for drains. */
export interface Drains {
  directory: DrainDirectory
  tally: DrainTally
  outage: DrainOutage
  routers: RouterWatch
}

/** `reader`: what tails are opened on. */
export function createDrains(
  pools: StorePools,
  database: Database,
  reader: ConstructorParameters<typeof RouterWatch>[0],
): Drains {
  return {
    directory: new DrainDirectory(database),
    tally: new DrainTally((counted) => countDrains(pools, counted, LIMITS.drain_sources)),
    outage: new DrainOutage(() => schemaVersion(pools.read)),
    routers: new RouterWatch(reader),
  }
}
