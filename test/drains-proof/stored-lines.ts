/** A record of a drain's topic, as far as it is judged. */
export interface StoredLine {
  partition: number
  offset: number
  key: string
  message: string
  /** Of a gap: how many lines its sender says that it lost. */
  dropped: number | undefined
}

interface BatchRow {
  partition: number
  base_offset: string
  payload: Buffer
}

/** Whoever runs SQL. */
interface Database {
  query: <Row extends BatchRow>(sql: string) => Promise<Row[]>
}

interface RecordLine {
  key: string
  value: { message: string; kind?: string; fields?: { dropped?: number } }
}

/** All records of the topic, by partition and offset, read with SQL and with nothing of the server. */
export async function readStoredLines(database: Database, topic: string): Promise<StoredLine[]> {
  const rows = await database.query(
    `select p.partition, b.base_offset, b.payload from tailrace.batches b
       join tailrace.partitions p using (partition_id) join tailrace.topics t using (topic_id)
     where t.name = '${topic}' order by p.partition, b.base_offset`,
  )
  return rows.flatMap((row) => {
    const lines = row.payload.toString().split('\n').slice(0, -1)
    return lines.map((line, k) => storedLine(line, row.partition, Number(row.base_offset) + k))
  })
}

function storedLine(line: string, partition: number, offset: number): StoredLine {
  const { key, value } = JSON.parse(line) as RecordLine
  const dropped = value.kind === 'gap' ? value.fields?.dropped : undefined
  return { partition, offset, key, message: value.message, dropped }
}
