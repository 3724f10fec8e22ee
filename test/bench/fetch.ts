import pg from 'pg'
import { get, run } from './load.ts'
import type { Contest } from './rounds.ts'
import type { Stage } from './stage.ts'

const READERS = 4
const PAGE = 1000
const SECONDS = 3
const NEXT_OFFSET = /"next_offset":(\d+),"high_watermark":(\d+)/

/** Pages of 1,000 over HTTP against node-postgres reading the same records, row per record. */
export function fetchPages(stage: Stage): Contest {
  return {
    name: 'fetch_vs_rows',
    reach: 3,
    unit: 'records/s',
    against: 'node-postgres, row per record',
    ours: () => pageRate(stage, READERS),
    theirs: () => rowRate(stage),
  }
}

/** Records per second of so many readers that fetch pages of 1,000, over and over. */
export async function pageRate(stage: Stage, readers: number): Promise<number> {
  const offsets = new Array<number>(readers).fill(0)
  const path = '/v1/topics/batch/partitions/0/records?max_records=1000&offset='
  let records = 0
  const load = await run({
    port: stage.port,
    connections: readers,
    seconds: SECONDS,
    request: (reader) => get(path + String(offsets[reader])),
    answered: (reader, body) => {
      const [, next, high] = NEXT_OFFSET.exec(body.toString('latin1', body.length - 120)) ?? []
      records += Number(next) - (offsets[reader] ?? 0)
      offsets[reader] = next === high ? 0 : Number(next)
    },
  })
  return (records / load.requests) * load.requests_per_s
}

async function rowRate(stage: Stage): Promise<number> {
  const started = performance.now()
  const end = started + SECONDS * 1000
  let records = 0
  await Promise.all(
    Array.from({ length: READERS }, async () => {
      const client = new pg.Client({ connectionString: stage.database_url })
      await client.connect()
      let offset = 0
      while (performance.now() < end) {
        const result = await client.query<{ offset: string }>({
          name: 'page',
          text: `select "offset", "timestamp", key, value, headers from bench_rows
            where partition_id = 1 and "offset" >= $1 order by "offset" limit $2`,
          values: [offset, PAGE],
        })
        records += result.rows.length
        offset = result.rows.length < PAGE ? 0 : Number(result.rows.at(-1)?.offset) + 1
      }
      await client.end()
    }),
  )
  return (records * 1000) / (performance.now() - started)
}
