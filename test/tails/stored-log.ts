import pg from 'pg'
import type { TestDatabase } from '../support/postgres.ts'
import { place } from './places.ts'
import type { Random } from './random.ts'

interface BatchRow {
  base_offset: string
  next_offset: string
  appended_ms: string
  payload: Buffer
}

export interface StoredRecord {
  /** As a tail of one topic shows it, without its opening brace. */
  text: string
  key: string | undefined
  /** What its producer calls it. */
  id: string
}

/** What the log holds and held, read with SQL: retention here keeps what it deletes. */
export class StoredLog {
  /** Of each partition, from offset 0 on without a gap. */
  readonly records = new Map<string, StoredRecord[]>()
  /** Where logs began, one after the other. */
  readonly starts = new Map<string, Set<number>>()
  readonly #database: TestDatabase
  readonly #ids = new Map<string, string>()
  #client: pg.Client | undefined

  constructor(database: TestDatabase) {
    this.#database = database
  }

  async open(topics: readonly string[]): Promise<void> {
    this.#client = new pg.Client({ connectionString: this.#database.url })
    await this.#client.connect()
    const rows = await this.#database.query<{ name: string; partition: number; id: string }>(
      `select t.name, p.partition, p.partition_id as id from tailrace.partitions p
         join tailrace.topics t using (topic_id) where t.name = any($1)`,
      [topics],
    )
    for (const { name, partition, id } of rows) {
      this.#ids.set(place(name, partition), id)
      this.records.set(place(name, partition), [])
      this.starts.set(place(name, partition), new Set())
    }
  }

  get places(): string[] {
    return [...this.#ids.keys()]
  }

  /** Removes the oldest batches of a partition, as retention will; true where there were any. */
  async truncate(where: string, random: Random): Promise<boolean> {
    const id = this.#ids.get(where)
    await this.#run('begin')
    await this.#run('select pg_advisory_xact_lock(tailrace.partition_lock_key($1))', [id])
    const bases = await this.#run<{ base_offset: string }>(
      `select base_offset from tailrace.batches where partition_id = $1 order by base_offset desc limit 20`,
      [id],
    )
    const start = bases.length > 1 ? random.pick(bases.slice(0, -1)).base_offset : undefined
    if (start !== undefined) {
      await this.#run(
        'update tailrace.log_starts set log_start_offset = $2 where partition_id = $1',
        [id, start],
      )
      const gone = await this.#run<BatchRow>(
        `delete from tailrace.batches where partition_id = $1 and base_offset < $2 returning ${COLUMNS}`,
        [id, start],
      )
      this.#keep(where, gone)
      this.starts.get(where)?.add(Number(start))
    }
    await this.#run('commit')
    return start !== undefined
  }

  /** Takes in what is still there, and ends. */
  async close(): Promise<void> {
    for (const [where, id] of this.#ids) {
      const rows = await this.#run<BatchRow>(
        `select ${COLUMNS} from tailrace.batches where partition_id = $1`,
        [id],
      )
      this.#keep(where, rows)
    }
    await this.#client?.end()
  }

  async #run<Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    const result = await this.#client!.query<Row>(sql, values)
    return result.rows
  }

  /** Throws where the log has a gap: then all that follows would prove nothing. */
  #keep(where: string, rows: readonly BatchRow[]): void {
    const records = this.records.get(where)!
    for (const row of [...rows].sort((a, b) => Number(a.base_offset) - Number(b.base_offset))) {
      if (Number(row.base_offset) !== records.length) {
        throw new Error(`the log of ${where} has a gap at ${String(records.length)}`)
      }
      const lines = row.payload.toString().split('\n').slice(0, -1)
      for (const line of lines) records.push(storedRecord(line, records.length, row.appended_ms))
      if (Number(row.next_offset) !== records.length) throw new Error(`a batch of ${where} lies`)
    }
  }
}

const COLUMNS =
  'base_offset, next_offset, payload, (extract(epoch from appended_at) * 1000)::bigint as appended_ms'

/** How a tail should show a stored line: with its offset, and with a timestamp. */
function storedRecord(line: string, offset: number, appendedMs: string): StoredRecord {
  const stamp = line.startsWith('{"timestamp":') ? '' : `"timestamp":${appendedMs},`
  const text = `"offset":${String(offset)},${stamp}${line.slice(1)}`
  const { key, value } = JSON.parse(line) as { key?: string; value: { id: string } }
  return { text, key, id: value.id }
}
