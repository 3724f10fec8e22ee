import type { Readiness } from '../contract/health.ts'
import { LIMITS } from '../contract/limits.ts'
import { createDatabase, type Database } from '../store/database.ts'
import { partitionBounds } from '../store/fetch-batches.ts'
import { schemaVersion } from '../store/migrate.ts'
import { Notifications } from '../store/notifications.ts'
import type { DatabaseAddress, StorePools } from '../store/pool.ts'
import { partitionsOf } from '../store/topics.ts'
import { AppendQueue } from './append-queue.ts'
import { readFrom } from './fetch.ts'
import { createDrains, type Drains } from './drains/drains-broker.ts'
import { createGroups, type Groups } from './groups/groups-broker.ts'
import { Sweeper } from './sweeper.ts'
import { TailHub } from './tail-hub.ts'
import { TopicDirectory } from './topic-directory.ts'
import { Wakeups } from './wakeups.ts'

/** What the tailer of a partition reads at once. */
const TAILER_READ = {
  max_bytes: LIMITS.tailer_read_bytes,
  max_records: LIMITS.records_per_request,
}

/** Everything a node holds in memory; none of it is truth, all of that is in the database. */
export interface Broker {
  pools: StorePools
  database: Database
  topics: TopicDirectory
  queue: AppendQueue
  wakeups: Wakeups
  notifications: Notifications
  hub: TailHub
  groups: Groups
  drains: Drains
  sweeper: Sweeper
  auto_create_topics: boolean
  /** The version that the migrations of this program lead to. */
  schema_version: number
}

export interface BrokerOptions {
  /** Where to hear of what other nodes append. */
  address: DatabaseAddress
  auto_create_topics: boolean
  schema_version: number
  /** Told of failures in the background. */
  failed: (error: unknown) => void
  /** Told when what other nodes append is found by polling alone. */
  deaf: (reason: unknown) => void
}

export function createBroker(pools: StorePools, options: BrokerOptions): Broker {
  const database = createDatabase(pools.read)
  const wakeups = new Wakeups((ids) => partitionBounds(pools, ids))
  const { address, auto_create_topics, schema_version, failed, deaf } = options
  const notifications = new Notifications(address, {
    appended: (id, highWatermark) => wakeups.appended(id, highWatermark),
    listening: () => void wakeups.look(),
    deaf,
  })
  const queue = new AppendQueue(pools, (id, highWatermark) => {
    wakeups.appended(id, highWatermark)
    notifications.tell(id, highWatermark)
  })
  const hub = new TailHub({
    wakeups,
    read: (id, offset) => readFrom({ pools }, id, offset, TAILER_READ),
    partitionsOf: (topicIds) => partitionsOf(database, topicIds),
  })
  const topics = new TopicDirectory(database)
  return {
    pools,
    database,
    topics,
    queue,
    wakeups,
    notifications,
    hub,
    groups: createGroups(pools),
    drains: createDrains(pools, database, { pools, topics, wakeups, hub }),
    sweeper: new Sweeper(pools, failed),
    auto_create_topics,
    schema_version,
  }
}

/** Begins what goes on in the background. */
export function startBroker(broker: Broker): void {
  broker.notifications.start()
  broker.sweeper.sweep()
}

/** Waiting readers are sent home at once; records that were taken in are still written. */
export function drainBroker(broker: Broker): void {
  broker.hub.close()
  broker.wakeups.close()
  broker.groups.watch.close()
  broker.drains.outage.close()
  broker.drains.routers.close()
}

export async function closeBroker(broker: Broker): Promise<void> {
  await broker.queue.drained()
  await broker.drains.tally.close()
  await broker.sweeper.close()
  await broker.notifications.close()
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
