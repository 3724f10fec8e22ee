import { afterAll, beforeAll, expect, it } from 'vitest'
import { call, createTopic, fetchRecords, produceRecords } from '../../src/client/index.ts'
import { startNodes, type Nodes } from '../support/nodes.ts'

/**
 * One insert in twenty is slow. With offsets from a counter, the records behind it would be seen first, and
 * readers would go past the late one for good. Here nobody ever skips, repeats or stops early.
 */
const PRODUCERS = 16
const REQUESTS = 25
const TOTAL = PRODUCERS * REQUESTS * 2

let nodes: Nodes
beforeAll(async () => {
  nodes = await startNodes(2)
  await call(nodes.urls[0]!, createTopic, { body: { name: 'late' } })
  await nodes.database.query(`
    create sequence inserts;
    create function delay_one_in_twenty() returns trigger language plpgsql as $$
    begin
      if nextval('inserts') % 20 = 7 then perform pg_sleep(0.05); end if;
      return new;
    end $$;
    create trigger delay before insert on tailrace.batches
      for each row execute function delay_one_in_twenty()`)
})
afterAll(() => nodes.stop())

/** Sends two records at a time, and knows where each is. */
async function produce(producer: number, acknowledged: Map<number, string>): Promise<void> {
  for (let number = 0; number < REQUESTS; number++) {
    const values = [0, 1].map((half) => `${String(producer)}/${String(2 * number + half)}`)
    const { offsets } = await call(nodes.urls[producer % 2]!, produceRecords, {
      params: { topic: 'late' },
      body: { records: values.map((value) => ({ value })) },
    })
    values.forEach((value, index) => acknowledged.set(offsets[0]!.base_offset + index, value))
  }
}

interface Read {
  values: string[]
  pages: number
}

/** Follows the log by long polls from the beginning, until it has seen all there will be. */
async function follow(reader: number, max_records: number, min_bytes: number): Promise<Read> {
  const values: string[] = []
  let pages = 0
  for (; values.length < TOTAL; pages++) {
    const offset = values.length
    const page = await call(nodes.urls[reader % 2]!, fetchRecords, {
      params: { topic: 'late', partition: 0 },
      // Who wants many bytes would wait for ever for the last few.
      query: { offset, max_records, min_bytes, max_wait_ms: min_bytes > 1 ? 300 : 10_000 },
    })
    // None of these is ever told that the log ends before what it has read, or jumps past anything.
    expect(page.high_watermark).toBeGreaterThanOrEqual(offset)
    expect(page.records.map((record) => record.offset)).toEqual(
      page.records.map((_, index) => offset + index),
    )
    expect(page.next_offset).toBe(offset + page.records.length)
    if (page.records.length === 0) expect(page.high_watermark).toBe(offset)
    values.push(...page.records.map((record) => record.value as string))
  }
  expect(values).toHaveLength(TOTAL)
  return { values, pages }
}

it('no reader skips, repeats or ends early while one insert in twenty is late', async () => {
  const acknowledged = new Map<number, string>()
  const readers = [
    follow(0, 1000, 1),
    follow(1, 1000, 1),
    follow(0, 3, 1),
    follow(1, 7, 1),
    follow(0, 1000, 2000),
    follow(1, 10_000, 500),
  ]
  const producers = Array.from({ length: PRODUCERS }, (_, producer) =>
    produce(producer, acknowledged),
  )
  await Promise.all(producers)
  const reads = await Promise.all(readers)
  const expected = Array.from({ length: TOTAL }, (_, offset) => acknowledged.get(offset))
  for (const { values } of reads) expect(values).toEqual(expected)
  // They did follow, instead of reading it all at the end.
  expect(reads[0]!.pages).toBeGreaterThan(5)

  const [row] = await nodes.database.query<{ inserts: number; batches: number }>(
    `select last_value::int as inserts, (select count(*)::int from tailrace.batches) as batches from inserts`,
  )
  expect(row!.inserts).toBeGreaterThan(40)
  const positions = new Map<string, number>()
  for (const value of expected) {
    const [producer = '', number] = value!.split('/')
    expect(Number(number)).toBe((positions.get(producer) ?? -1) + 1)
    positions.set(producer, Number(number))
  }
}, 60_000)
