import { createDatabase } from '../../src/store/database.ts'
import { fetchBatches } from '../../src/store/fetch-batches.ts'
import { createPools, type StorePools } from '../../src/store/pool.ts'
import { createTopic, type TopicRow } from '../../src/store/topics.ts'
import { createTestDatabase, type TestDatabase } from './postgres.ts'

/** The store alone: pools over a database of a test file's own. */
export interface TestStore {
  database: TestDatabase
  pools: StorePools
  createTopic: (name: string, partitions: number) => Promise<TopicRow>
  /** The stored lines of a partition, with the offset in front. */
  lines: (partitionId: number) => Promise<string[]>
  close: () => Promise<void>
}

export async function openTestStore(): Promise<TestStore> {
  const database = await createTestDatabase()
  const pools = createPools({ connectionString: database.url }, () => undefined)
  return {
    database,
    pools,
    createTopic: async (name, partitions) => {
      const topic = await createTopic(createDatabase(pools.read), { name, partitions, config: {} })
      if (!topic) throw new Error(`there is a topic ${name} already`)
      return topic
    },
    lines: (partitionId) => linesOf(pools, partitionId),
    close: async () => {
      await pools.end()
      await database.drop()
    },
  }
}

async function linesOf(pools: StorePools, partitionId: number): Promise<string[]> {
  const bounds = { max_records: 1_000_000, max_bytes: 1 << 30 }
  const read = await fetchBatches(pools, partitionId, { kind: 'earliest', offset: 0 }, bounds)
  return (read?.batches ?? []).flatMap(({ base_offset, payload }) =>
    payload
      .split('\n')
      .slice(0, -1)
      .map((line, index) => `${String(base_offset + index)} ${line}`),
  )
}
