import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, createTopic } from '../../src/client/index.ts'
import { postRecords } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

/** A row of the view, its JSON columns as text. */
interface Row {
  topic: string
  partition: number
  offset: number
  ms: number
  key: string | null
  value: string | null
  headers: string | null
  record: string
}

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

const COLUMNS = `topic, partition, "offset"::int, (extract(epoch from "timestamp") * 1000)::float8 as ms,
  key, value::text, headers::text, record`

const query = (rest: string, values: unknown[] = []) =>
  server.database.query<Row>(`select ${COLUMNS} from ${rest}`, values)

/** Stores each of these record texts in a request, and so in a batch, of its own. */
async function send(topic: string, ...records: string[]): Promise<void> {
  for (const record of records) {
    await postRecords(server.url, topic, `{"records":[${record}]}`).expect(200)
  }
}

async function appendedMs(topic: string): Promise<number[]> {
  const rows = await server.database.query<{ ms: number }>(
    `select (extract(epoch from appended_at) * 1000)::float8 as ms from tailrace.batches
       join tailrace.partitions using (partition_id) join tailrace.topics using (topic_id)
     where name = $1 order by base_offset`,
    [topic],
  )
  return rows.map(({ ms }) => ms)
}

async function raiseLogStart(topic: string, offset: number): Promise<void> {
  await server.database.query(
    `update tailrace.log_starts s set log_start_offset = $2 from tailrace.partitions p
       join tailrace.topics t using (topic_id) where p.partition_id = s.partition_id and t.name = $1`,
    [topic, offset],
  )
}

describe('tailrace.records', () => {
  it('has a row a record, with all that belongs to it', async () => {
    const first = '{"key":"k","value":{"b":1, "a":12345678901234567890},"headers":{"h":"é"}}'
    const second = '{"timestamp":1700000000123,"value":"text"}'
    await send('all', first, `${second},{"value_base64":"AAEC","key_base64":"//8="}`)
    const [ms, later] = await appendedMs('all')
    const common = { topic: 'all', partition: 0, key: null, headers: null }
    expect(await query(`tailrace.records where topic = 'all' order by "offset"`)).toEqual([
      {
        ...common,
        offset: 0,
        ms,
        key: 'k',
        value: '{"b":1, "a":12345678901234567890}',
        headers: '{"h":"é"}',
        record: first,
      },
      { ...common, offset: 1, ms: 1700000000123, value: '"text"', record: second },
      {
        ...common,
        offset: 2,
        ms: later,
        value: null,
        record: '{"value_base64":"AAEC","key_base64":"//8="}',
      },
    ])
  })

  it('keeps topics and partitions apart', async () => {
    for (const topic of ['apart-a', 'apart-b']) {
      await call(server.url, createTopic, { body: { name: topic, partitions: 3 } })
      for (const partition of [0, 1, 2]) {
        await send(
          topic,
          ...[0, 1].map(
            (n) => `{"partition":${String(partition)},"value":"${topic}/${String(n)}"}`,
          ),
        )
      }
    }
    const rows = await query(
      `tailrace.records where topic = 'apart-b' and partition = 2 order by "offset"`,
    )
    expect(rows.map(({ offset, value }) => [offset, value])).toEqual([
      [0, '"apart-b/0"'],
      [1, '"apart-b/1"'],
    ])
    const counts = await server.database.query(
      `select topic, partition, count(*)::int from tailrace.records where topic like 'apart-%'
       group by 1, 2 order by 1, 2`,
    )
    expect(counts).toEqual(
      ['apart-a', 'apart-b'].flatMap((topic) =>
        [0, 1, 2].map((partition) => ({ topic, partition, count: 2 })),
      ),
    )
  })

  it('begins where the log does, inside a batch if need be', async () => {
    await send('begun', '{"value":0},{"value":1},{"value":2}', '{"value":3}')
    await raiseLogStart('begun', 2)
    const rows = await query(`tailrace.records where topic = 'begun' order by "offset"`)
    expect(rows.map(({ offset, value }) => [offset, value])).toEqual([
      [2, '2'],
      [3, '3'],
    ])
  })

  it('can be read by topic, offset, key, time and member of the value', async () => {
    await send(
      'asked',
      '{"timestamp":1000,"key":"a","value":{"n":1}},{"timestamp":2000,"key":"b","value":{"n":2}}',
    )
    const values = async (condition: string) => {
      const rows = await query(`tailrace.records where topic = 'asked' and ${condition}`)
      return rows.map(({ value }) => value)
    }
    expect(await values('"offset" >= 1')).toEqual(['{"n":2}'])
    expect(await values(`key = 'a'`)).toEqual(['{"n":1}'])
    expect(await values(`"timestamp" > '1970-01-01 00:00:01Z'`)).toEqual(['{"n":2}'])
    expect(await values(`(value ->> 'n')::int = 1`)).toEqual(['{"n":1}'])
    expect(await values('base_offset = 0 and next_offset = 2')).toHaveLength(2)
  })

  it('knows the latest time there can be', async () => {
    await send('late', '{"timestamp":8640000000000000,"value":1},{"timestamp":0,"value":2}')
    const rows = await query(`tailrace.records where topic = 'late' order by "offset"`)
    expect(rows.map(({ ms }) => ms)).toEqual([8_640_000_000_000_000, 0])
  })
})

describe('a record that Postgres cannot decode', () => {
  const NASTY = [
    '{"key":"k","value":"\\u0000"}',
    '{"value":{"a":"\\ud800"}}',
    '{"value":1,"headers":{"\\u0000":"\\udc00"}}',
    '{"key":"\\u0000","value":1}',
    '{"value":1e400000}',
    `{"value":${'['.repeat(512)}${']'.repeat(512)}}`,
    '{"value":{"a":1,"a":2,"__proto__":3}}',
  ]

  it('fails nobody, and is there as text', async () => {
    await send('nasty', '{"key":"before","value":1}', ...NASTY, '{"key":"after","value":2}')
    const rows = await query(`tailrace.records where topic = 'nasty' order by "offset"`)
    expect(rows.map(({ record }) => record).slice(1, -1)).toEqual(NASTY)
    expect(rows.map(({ offset }) => offset)).toEqual(rows.map((_, index) => index))
    expect(rows[0]).toMatchObject({ key: 'before', value: '1' })
    expect(rows.at(-1)).toMatchObject({ key: 'after', value: '2' })
    expect(await query('tailrace.records_from($1)', ['nasty'])).toEqual(rows)
    const found = await query(`tailrace.records where topic = 'nasty' and value #>> '{}' = '2'`)
    expect(found).toHaveLength(1)
  })

  it('still has its own timestamp', async () => {
    await send('nasty-time', '{"timestamp":1700000000000,"value":"\\u0000"}')
    const [row] = await query(`tailrace.records where topic = 'nasty-time'`)
    expect(row?.ms).toBe(1_700_000_000_000)
  })
})

describe('functions that catch errors', () => {
  it('are parallel unsafe: before Postgres 17 a parallel query may not begin a subtransaction', async () => {
    const rows = await server.database.query<{ name: string; proparallel: string }>(
      `select proname as name, proparallel from pg_proc
       where pronamespace = 'tailrace'::regnamespace and prosrc ~* '\\mexception\\s+when\\M'`,
    )
    expect(rows).toEqual(rows.map(({ name }) => ({ name, proparallel: 'u' })))
  })
})

describe('tailrace.records_from', () => {
  beforeAll(async () => {
    await call(server.url, createTopic, { body: { name: 'from', partitions: 2 } })
    const numbers = (first: number, count: number) =>
      Array.from(
        { length: count },
        (_, index) => `{"partition":1,"value":${String(first + index)}}`,
      ).join()
    await send('from', numbers(0, 3), numbers(3, 1), numbers(4, 4), numbers(8, 2))
  })

  it.each([
    ['the beginning', [0, 1000], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
    ['inside a batch', [5, 1000], [5, 6, 7, 8, 9]],
    ['the beginning of one', [4, 1000], [4, 5, 6, 7, 8, 9]],
    ['inside one, for a few', [1, 4], [1, 2, 3, 4]],
    ['anywhere, for one', [7, 1], [7]],
    ['the last', [9, 10], [9]],
    ['the end', [10, 10], []],
    ['behind the end', [1000, 10], []],
    ['anywhere, for none', [3, 0], []],
  ])('begins at %s', async (_, [offset, count], expected) => {
    const rows = await query(`tailrace.records_from('from', 1, $1, $2)`, [offset, count])
    expect(rows.map((row) => row.offset)).toEqual(expected)
    expect(rows.map((row) => row.value)).toEqual(expected.map(String))
  })

  it.each([`'from', 0`, `'from', 2`, `'from'`, `'nobody'`])(
    'has no rows where there is nothing: %s',
    async (what) => {
      expect(await query(`tailrace.records_from(${what})`)).toEqual([])
    },
  )

  it('skips what is no longer kept and gives as many as are asked for', async () => {
    const values = Array.from({ length: 20 }, (_, index) => `{"value":${String(index)}}`)
    await send('kept', ...values)
    await raiseLogStart('kept', 12)
    const rows = await query(`tailrace.records_from('kept', 0, 0, 5)`)
    expect(rows.map(({ offset }) => offset)).toEqual([12, 13, 14, 15, 16])
  })
})

describe('the primary key is used', () => {
  /** Enough rows, in enough partitions, for Postgres to have a choice. */
  beforeAll(async () => {
    await call(server.url, createTopic, { body: { name: 'plan', partitions: 20 } })
    await server.database.query(`
      insert into tailrace.batches
        (partition_id, base_offset, next_offset, appended_at, max_timestamp, prefix_max_timestamp, payload)
      select p.partition_id, n, n + 1, now(), 0, 0, E'{"value":1}\\n'
        from tailrace.partitions p join tailrace.topics t using (topic_id), generate_series(0, 999) n
        where t.name = 'plan'`)
    await server.database.query('analyze tailrace.batches')
    await server.database.query('analyze tailrace.partitions')
  })

  async function conditionOn(sql: string): Promise<string> {
    const rows = await server.database.query<{ 'QUERY PLAN': string }>(`explain (costs off) ${sql}`)
    const plan = rows.map((row) => row['QUERY PLAN'])
    const at = plan.findIndex((line) =>
      /(Index|Bitmap Index) Scan.* (using|on) batches_pkey/.test(line),
    )
    expect(at, plan.join('\n')).toBeGreaterThanOrEqual(0)
    expect(plan.join('\n')).not.toMatch(/Seq Scan on batches/)
    return plan[at + 1]!
  }

  it.each([
    ['topic and partition', `topic = 'plan' and partition = 3`, []],
    [
      'base_offset from below',
      `topic = 'plan' and partition = 3 and base_offset >= 900`,
      ['base_offset >='],
    ],
    [
      'a range of it',
      `topic = 'plan' and partition = 3 and base_offset between 5 and 9`,
      ['base_offset >=', 'base_offset <='],
    ],
    ['one of it', `topic = 'plan' and partition = 3 and base_offset = 5`, ['base_offset =']],
  ])('by %s', async (_, condition, parts) => {
    const used = await conditionOn(`select * from tailrace.records where ${condition}`)
    expect(used).toMatch(/partition_id = /)
    for (const part of parts) expect(used).toContain(part)
  })
})
