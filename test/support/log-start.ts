import type { TestServer } from './server.ts'

/** The id of a partition, as the tables of the log know it. */
export async function partitionId(
  server: TestServer,
  topic: string,
  partition = 0,
): Promise<number> {
  const [row] = await server.database.query<{ partition_id: string }>(
    `select p.partition_id from tailrace.partitions p join tailrace.topics t using (topic_id)
      where t.name = $1 and p.partition = $2`,
    [topic, partition],
  )
  return Number(row!.partition_id)
}

/** Moves the beginning of a log, as retention will. */
export async function moveLogStart(
  server: TestServer,
  topic: string,
  offset: number,
): Promise<void> {
  await server.database.query(
    'update tailrace.log_starts set log_start_offset = $1 where partition_id = $2',
    [offset, await partitionId(server, topic)],
  )
}
