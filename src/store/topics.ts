import { sql, type Transaction } from 'kysely'
import { LIMITS } from '../contract/limits.ts'
import type { TopicConfig } from '../contract/topics.ts'
import type { Database, Tables } from './database.ts'

/** A topic as the control tables hold it. `partition_ids[p]` is the id of partition p. */
export interface TopicRow {
  topic_id: number
  name: string
  partitions: number
  first_partitions: number
  config: TopicConfig
  created_at: Date
  partition_ids: number[]
}

type Connection = Database | Transaction<Tables>

function selectTopics(database: Connection) {
  return database.selectFrom('tailrace.topics as t').select((select) => [
    't.topic_id',
    't.name',
    't.partitions',
    't.first_partitions',
    't.config',
    't.created_at',
    select
      .selectFrom('tailrace.partitions as p')
      .whereRef('p.topic_id', '=', 't.topic_id')
      .select(sql<number[]>`jsonb_agg(p.partition_id order by p.partition)`.as('ids'))
      .as('partition_ids'),
  ])
}

export async function getTopic(database: Connection, name: string): Promise<TopicRow | undefined> {
  const row = await selectTopics(database).where('t.name', '=', name).executeTakeFirst()
  return row as TopicRow | undefined
}

/** Topics by name, after `after`, whose names begin with `prefix`. */
export async function listTopics(
  database: Database,
  page: { after: string; prefix: string; limit: number },
): Promise<TopicRow[]> {
  const rows = await selectTopics(database)
    .where('t.name', '>', page.after)
    .where(sql<boolean>`starts_with(t.name, ${page.prefix})`)
    .orderBy('t.name')
    .limit(page.limit)
    .execute()
  return rows as TopicRow[]
}

/** Partition ids of these topics, in order; topics that are gone are missing. */
export async function partitionsOf(
  database: Database,
  topicIds: readonly number[],
): Promise<Map<number, number[]>> {
  const rows = await database
    .selectFrom('tailrace.partitions')
    .select(['topic_id', sql<number[]>`jsonb_agg(partition_id order by partition)`.as('ids')])
    .where('topic_id', 'in', topicIds)
    .groupBy('topic_id')
    .execute()
  return new Map(rows.map(({ topic_id, ids }) => [topic_id, ids]))
}

/** Creates a topic; undefined where one of this name exists. */
export async function createTopic(
  database: Database,
  topic: { name: string; partitions: number; config: TopicConfig },
): Promise<TopicRow | undefined> {
  return database.transaction().execute(async (transaction) => {
    const created = await transaction
      .insertInto('tailrace.topics')
      .values({
        name: topic.name,
        partitions: topic.partitions,
        first_partitions: topic.partitions,
        config: topic.config,
      })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .returning('topic_id')
      .executeTakeFirst()
    if (!created) return undefined
    await addPartitions(transaction, created.topic_id, 0, topic.partitions)
    return getTopic(transaction, topic.name)
  })
}

async function addPartitions(
  transaction: Transaction<Tables>,
  topicId: number,
  from: number,
  to: number,
): Promise<void> {
  const numbers = Array.from({ length: to - from }, (_, index) => from + index)
  const added = await transaction
    .insertInto('tailrace.partitions')
    .values(numbers.map((partition) => ({ topic_id: topicId, partition })))
    .returning('partition_id')
    .execute()
  await transaction
    .insertInto('tailrace.log_starts')
    .values(added.map(({ partition_id }) => ({ partition_id })))
    .execute()
}

/**
 * Changes a topic under its row lock. `change` sees the topic as it is and returns what it shall be; it
 * throws where the change is not allowed. Undefined where there is no such topic.
 */
export async function changeTopic(
  database: Database,
  name: string,
  change: (topic: TopicRow) => { partitions: number; config: TopicConfig },
): Promise<TopicRow | undefined> {
  return database.transaction().execute(async (transaction) => {
    await lockTopic(transaction, name)
    const topic = await getTopic(transaction, name)
    if (!topic) return undefined
    const { partitions, config } = change(topic)
    await transaction
      .updateTable('tailrace.topics')
      .set({ partitions, config })
      .where('topic_id', '=', topic.topic_id)
      .execute()
    if (partitions > topic.partitions) {
      await addPartitions(transaction, topic.topic_id, topic.partitions, partitions)
    }
    return getTopic(transaction, name)
  })
}

async function lockTopic(transaction: Transaction<Tables>, name: string): Promise<void> {
  await transaction
    .selectFrom('tailrace.topics')
    .select('topic_id')
    .where('name', '=', name)
    .forUpdate()
    .execute()
}

/**
 * Deletes a topic; its batches go later. Each partition's append lock is taken first, so that an append
 * either commits before or finds its partition gone. Undefined where there is no such topic.
 */
export async function deleteTopic(database: Database, name: string): Promise<TopicRow | undefined> {
  return database.transaction().execute(async (transaction) => {
    await sql`select set_config('lock_timeout', ${String(LIMITS.lock_wait_ms)}, true)`.execute(
      transaction,
    )
    await lockTopic(transaction, name)
    const topic = await getTopic(transaction, name)
    if (!topic) return undefined
    const ids = [...topic.partition_ids].sort((a, b) => a - b)
    for (const id of ids) {
      await sql`select pg_advisory_xact_lock(tailrace.partition_lock_key(${id}))`.execute(
        transaction,
      )
    }
    await transaction.deleteFrom('tailrace.log_starts').where('partition_id', 'in', ids).execute()
    await transaction.deleteFrom('tailrace.partitions').where('partition_id', 'in', ids).execute()
    await transaction
      .insertInto('tailrace.deleted_partitions')
      .values(ids.map((partition_id) => ({ partition_id })))
      .execute()
    await transaction.deleteFrom('tailrace.topics').where('topic_id', '=', topic.topic_id).execute()
    return topic
  })
}
