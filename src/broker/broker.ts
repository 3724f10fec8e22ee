import type { Readiness } from '../contract/health.ts'
import { createDatabase, type Database } from '../store/database.ts'
import { partitionBounds } from '../store/fetch-batches.ts'
import { schemaVersion } from '../store/migrate.ts'
import type { StorePools } from '../store/pool.ts'
import { AppendQueue } from './append-queue.ts'
import { Sweeper } from './sweeper.ts'
import { TopicDirectory } from './topic-directory.ts'
import { Wakeups } from './wakeups.ts'

/** Everything a node holds in memory; none of it is truth, all of that is in the database. */
export interface Broker {
  pools: StorePools
  database: Database
  topics: TopicDirectory
  queue: AppendQueue
  wakeups: Wakeups
  sweeper: Sweeper
  auto_create_topics: boolean
  /** The version that the migrations of this program lead to. */
  schema_version: number
}

export interface BrokerOptions {
  auto_create_topics: boolean
  schema_version: number
  /** Told of failures in the background. */
  failed: (error: unknown) => void
}

export function createBroker(pools: StorePools, options: BrokerOptions): Broker {
  const database = createDatabase(pools.read)
  const wakeups = new Wakeups((ids) => partitionBounds(pools, ids))
  const queue = new AppendQueue(pools, (id, highWatermark) => {
    wakeups.appended(id, highWatermark)
  })
  const { auto_create_topics, schema_version, failed } = options
  return {
    pools,
    database,
    topics: new TopicDirectory(database),
    queue,
    wakeups,
    sweeper: new Sweeper(pools, failed),
    auto_create_topics,
    schema_version,
  }
}

/** Waiting readers are sent home at once; records that were taken in are still written. */
export function drainBroker(broker: Broker): void {
  broker.wakeups.close()
}

export async function closeBroker(broker: Broker): Promise<void> {
  await broker.queue.drained()
  await broker.sweeper.close()
  await broker.pools.end()
}

/** Can this node serve? Never throws. */
export async function readiness(broker: Broker): Promise<Readiness> {
  const version = await schemaVersion(broker.pools.read).catch(() => undefined)
  const checks = {
    database: version === undefined ? 'failed' : 'ok',
    schema: version === broker.schema_version ? 'ok' : 'failed',
    draining: broker.wakeups.closed ? 'failed' : 'ok',
  } as const
  const ready = Object.values(checks).every((check) => check === 'ok')
  return { status: ready ? 'ready' : 'not_ready', checks }
}
