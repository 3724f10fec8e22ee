import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { post, run } from './load.ts'
import { asCopyRows, benchRecord, benchRecords } from './records.ts'
import type { Contest } from './rounds.ts'
import type { Stage } from './stage.ts'

const CONNECTIONS = 64
const SECONDS = 3
const BATCH = 1000
/** One, as the server writes over one, too. */
const COPY_CONNECTIONS = 1

/** One record a request, acknowledged after commit, against the same POST that stores nothing. */
export function produceSingle(stage: Stage): Contest {
  const body = JSON.stringify({ records: [benchRecord(1_000_000)] })
  const rate = async (path: string) => {
    const request = post(path, 'application/json', body)
    const load = {
      port: stage.port,
      connections: CONNECTIONS,
      seconds: SECONDS,
      request: () => request,
    }
    return (await run(load)).requests_per_s
  }
  return {
    name: 'produce_single_ratio',
    reach: 0.5,
    unit: 'requests/s',
    against: 'the same POST, not stored',
    ours: () => rate('/v1/topics/single/records'),
    theirs: () => rate('/bench/nothing'),
  }
}

/** 1,000 records a request against COPY of the same records, row per record. */
export function produceBatch(stage: Stage): Contest {
  const records = benchRecords(BATCH)
  const request = post('/v1/topics/batch/records', 'application/json', JSON.stringify({ records }))
  return {
    name: 'produce_batch_vs_copy',
    reach: 4,
    unit: 'records/s',
    against: 'COPY, row per record',
    ours: async () => {
      const load = {
        port: stage.port,
        connections: CONNECTIONS,
        seconds: SECONDS,
        request: () => request,
      }
      return (await run(load)).requests_per_s * BATCH
    },
    theirs: () => copyRate(stage, asCopyRows(records)),
  }
}

/**
 * Row per record as people keep JSON in Postgres: jsonb. (Plain text columns take COPY half as long again
 * and node-postgres a third, but then nothing has looked at the JSON.)
 */
export async function createRowTable(stage: Stage): Promise<void> {
  await stage.query(`create table bench_rows (
    partition_id bigint not null default 1, "offset" bigint generated always as identity,
    "timestamp" timestamptz not null default now(), key text, value jsonb, headers jsonb,
    primary key (partition_id, "offset"))`)
}

async function copyRate(stage: Stage, rows: Buffer): Promise<number> {
  const end = performance.now() + SECONDS * 1000
  const started = performance.now()
  let copies = 0
  await Promise.all(
    Array.from({ length: COPY_CONNECTIONS }, async () => {
      const client = new pg.Client({ connectionString: stage.database_url })
      await client.connect()
      while (performance.now() < end) {
        const stream = client.query(copyFrom('copy bench_rows (key, value) from stdin'))
        await pipeline(Readable.from([rows]), stream)
        copies++
      }
      await client.end()
    }),
  )
  return (copies * BATCH * 1000) / (performance.now() - started)
}
