import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { call, createTopic, fetchRecords, produceRecords } from '../../src/client/index.ts'
import { startNodes, type Nodes } from '../support/nodes.ts'

/**
 * Offsets are dense and in commit order, whoever writes: several writers on two processes, each waiting for
 * its acknowledgement and reading the records back from the other node at once.
 */
const PARTITIONS = 3

let nodes: Nodes
beforeAll(async () => {
  nodes = await startNodes(2)
})
afterAll(() => nodes.stop())

interface Sent {
  key: string | undefined
  value: string
}
interface Placed {
  partition: number
  base_offset: number
  values: string[]
}

const record = fc.record({
  key: fc.option(fc.constantFrom('a', 'b', 'c', 'd', 'é', ''), { nil: undefined }),
  partition: fc.option(fc.nat(PARTITIONS - 1), { nil: undefined, freq: 5 }),
})
const batch = fc.array(record, { minLength: 1, maxLength: 12 })
/** What each writer sends, one request after the other. */
const writers = fc.array(fc.array(batch, { minLength: 1, maxLength: 6 }), {
  minLength: 2,
  maxLength: 8,
})

async function read(url: string, topic: string, partition: number, offset: number, count: number) {
  const page = await call(url, fetchRecords, {
    params: { topic, partition },
    query: { offset, max_records: count },
  })
  return page.records as unknown as (Sent & { offset: number })[]
}

/** Sends a batch, then checks at the other node that each record is where the answer says. */
async function write(
  topic: string,
  writer: number,
  name: string,
  shapes: { key: string | undefined }[],
) {
  const [url, other] = writer % 2 === 0 ? nodes.urls : [...nodes.urls].reverse()
  const records = shapes.map((shape, index) => ({ ...shape, value: `${name}/${String(index)}` }))
  const { offsets } = await call(url!, produceRecords, { params: { topic }, body: { records } })
  expect(offsets.reduce((sum, { record_count }) => sum + record_count, 0)).toBe(records.length)
  expect(new Set(offsets.map(({ partition }) => partition)).size).toBe(offsets.length)
  const placed: Placed[] = []
  for (const { partition, base_offset, record_count } of offsets) {
    const found = await read(other!, topic, partition, base_offset, record_count)
    expect(found.map(({ offset }) => offset)).toEqual(found.map((_, index) => base_offset + index))
    // All of this request's records, in the order sent, and none of another's between them.
    const indexes = found.map(({ value }) => records.findIndex((one) => one.value === value))
    expect(indexes).not.toContain(-1)
    expect(indexes).toEqual([...indexes].sort((a, b) => a - b))
    expect(found.map(({ key }) => key)).toEqual(indexes.map((index) => records[index]!.key))
    expect(found).toHaveLength(record_count)
    placed.push({ partition, base_offset, values: found.map(({ value }) => value) })
  }
  expect(placed.flatMap(({ values }) => values).sort()).toEqual(
    records.map(({ value }) => value).sort(),
  )
  return placed
}

let runs = 0

it('offsets are dense, requests contiguous, and what is acknowledged can be read on the other node', async () => {
  await fc.assert(
    fc.asyncProperty(writers, async (plans) => {
      const topic = `dense-${String(++runs)}`
      await call(nodes.urls[0]!, createTopic, { body: { name: topic, partitions: PARTITIONS } })
      const placed = await Promise.all(
        plans.map(async (batches, writer) => {
          const own: Placed[] = []
          for (const [index, shapes] of batches.entries()) {
            own.push(...(await write(topic, writer, `${String(writer)}/${String(index)}`, shapes)))
          }
          return own
        }),
      )
      const keys = new Map<string, number>()
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const expected: string[] = []
        for (const { base_offset, values } of placed
          .flat()
          .filter((one) => one.partition === partition)) {
          for (const [index, value] of values.entries()) expected[base_offset + index] = value
        }
        const log = await read(nodes.urls[partition % 2]!, topic, partition, 0, 10_000)
        expect(log.map(({ offset }) => offset)).toEqual(log.map((_, offset) => offset))
        expect(log.map(({ value }) => value)).toEqual([...expected])
        expectWritersInOrder(log.map(({ value }) => value))
        for (const { key, value } of log) {
          const [writer, index, number] = value.split('/').map(Number) as [number, number, number]
          if (key === undefined || plans[writer]![index]![number]!.partition !== undefined) continue
          expect(keys.get(key) ?? partition).toBe(partition)
          keys.set(key, partition)
        }
      }
    }),
    { seed: 7070, numRuns: 10 },
  )
}, 60_000)

/** What one writer sent later has the larger offset. */
function expectWritersInOrder(values: readonly string[]): void {
  const last = new Map<string, number>()
  for (const value of values) {
    const [writer = '', index] = value.split('/')
    expect(Number(index)).toBeGreaterThanOrEqual(last.get(writer) ?? 0)
    last.set(writer, Number(index))
  }
}

it('many single records from both nodes leave no gap and no repeat', async () => {
  await call(nodes.urls[0]!, createTopic, { body: { name: 'singles' } })
  const told = await Promise.all(
    Array.from({ length: 32 }, async (_, writer) => {
      const offsets: number[] = []
      for (let index = 0; index < 25; index++) {
        const records = [{ value: `${String(writer)}/${String(index)}` }]
        const answer = await call(nodes.urls[writer % 2]!, produceRecords, {
          params: { topic: 'singles' },
          body: { records },
        })
        offsets.push(answer.offsets[0]!.base_offset)
      }
      expect(offsets).toEqual([...offsets].sort((a, b) => a - b))
      return offsets
    }),
  )
  const all = told.flat().sort((a, b) => a - b)
  expect(all).toEqual(all.map((_, offset) => offset))
  const log = await read(nodes.urls[0]!, 'singles', 0, 0, 10_000)
  expect(log.map(({ offset }) => offset)).toEqual(all)
  for (const [writer, offsets] of told.entries()) {
    const values = offsets.map((offset) => log[offset]?.value)
    expect(values).toEqual(offsets.map((_, index) => `${String(writer)}/${String(index)}`))
  }
})
