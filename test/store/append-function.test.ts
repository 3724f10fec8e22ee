import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { offsetAtTimestamp } from '../../src/records/page.ts'
import {
  appendBatches,
  appendFlush,
  type Flush,
  type Guard,
} from '../../src/store/append-batches.ts'
import { fetchBatches, findTimestamp, partitionBounds } from '../../src/store/fetch-batches.ts'
import { plainFlush } from '../support/flush.ts'
import { openHolder } from '../support/locks.ts'
import { openTestStore, type TestStore } from '../support/log.ts'
import { until } from '../support/within.ts'

let store: TestStore
let ids: number[]
let topics = 0
beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store.close())
/** Each test has three partitions of its own. */
beforeEach(async () => {
  ids = (await store.createTopic(`topic-${String(++topics)}`, 3)).partition_ids
})

interface Lines {
  lines: string[]
  max_timestamp?: number
  stamps?: boolean
}

function batch({ lines, max_timestamp = 0, stamps = true }: Lines) {
  const payload = Buffer.from(lines.map((line) => `${line}\n`).join(''))
  return { payload, record_count: lines.length, byte_length: payload.length, max_timestamp, stamps }
}

/** A flush of these batches to one partition. */
function flushOf(id: number, ...batches: Lines[]): Flush {
  const made = batches.map(batch)
  return plainFlush(id, made, Buffer.concat(made.map((one) => one.payload)))
}

/** Appends, waiting for the lock. */
const append = (id: number, ...batches: Lines[]) =>
  appendBatches(store.pools.append, flushOf(id, ...batches), {
    partition_id: id,
    until: performance.now() + 10_000,
  })

/** A flush of these requests: what each writes, by partition, and its guard where it has one. */
function flush(requests: { parts: [number, string[]][]; guard?: Partial<Guard> }[]): Flush {
  const all = requests.map(({ parts, guard }) => ({ parts, guard }))
  const plain = all.filter(({ guard }) => !guard)
  const guarded = all.filter(({ guard }) => guard)
  const used = all.flatMap(({ parts, guard }) => [
    ...parts.map(([id]) => id),
    ...(guard ? [guard.home ?? ids[0]!, ...(guard.expected ?? []).map(([id]) => id)] : []),
  ])
  const partition_ids = [...new Set(used)].sort((a, b) => a - b)
  const rows = [
    ...plain.flatMap(({ parts }) => parts.map(([id, lines]) => ({ request: 0, id, lines }))),
    ...guarded.flatMap(({ parts }, index) =>
      parts.map(([id, lines]) => ({ request: index + 1, id, lines })),
    ),
  ]
  const batches = rows.map(({ request, id, lines }) => ({
    ...batch({ lines }),
    request,
    slot: partition_ids.indexOf(id) + 1,
  }))
  return {
    partition_ids,
    batches,
    guards: guarded.map(({ guard }) => ({
      home: ids[0]!,
      key: 'k',
      digest: 'd',
      expected: [],
      ...guard,
    })),
    payload: batches.map(({ payload }) => payload),
  }
}

const send = (...requests: { parts: [number, string[]][]; guard?: Partial<Guard> }[]) =>
  appendFlush(store.pools.append, flush(requests))

async function highWatermarks(): Promise<number[]> {
  const bounds = await partitionBounds(store.pools, ids)
  return bounds.map(({ high_watermark }) => high_watermark)
}

const setLogStart = (id: number, offset: number) =>
  store.database.query(
    'update tailrace.log_starts set log_start_offset = $2 where partition_id = $1',
    [id, offset],
  )

describe('append_batches', () => {
  it('writes batches one after the other, cut from one payload by bytes', async () => {
    const first = await append(ids[0]!, { lines: ['"é"', '"😀"'] }, { lines: ['2'] })
    const second = await append(ids[0]!, { lines: ['3'] })
    expect([first.base_offset, second.base_offset]).toEqual([0, 3])
    expect(await store.lines(ids[0]!)).toEqual(['0 "é"', '1 "😀"', '2 2', '3 3'])
    expect(await highWatermarks()).toEqual([4, 0, 0])
  })

  it('begins at the log start of a partition that holds nothing', async () => {
    await setLogStart(ids[0]!, 700)
    expect(await append(ids[0]!, { lines: ['1'] })).toMatchObject({
      status: 'ok',
      base_offset: 700,
    })
  })

  it('keeps the next offset of a partition whose rows are all gone', async () => {
    await append(ids[0]!, { lines: ['1', '2', '3'] })
    await setLogStart(ids[0]!, 3)
    await store.database.query('delete from tailrace.batches where partition_id = $1', [ids[0]])
    expect(await append(ids[0]!, { lines: ['4'] })).toMatchObject({ base_offset: 3 })
  })

  it('answers busy without waiting, and unknown_partition, having written nothing', async () => {
    const holder = await openHolder(store.database.url)
    await holder.lock(ids[0]!)
    const busy = await appendBatches(store.pools.append, flushOf(ids[0]!, { lines: ['1'] }))
    expect(busy.status).toBe('busy')
    await holder.release()
    const unknown = await appendBatches(store.pools.append, flushOf(999_999, { lines: ['1'] }))
    expect(unknown.status).toBe('unknown_partition')
    const rows = await store.database.query(
      'select from tailrace.batches where partition_id = any ($1::bigint[])',
      [[ids[0], 999_999]],
    )
    expect(rows).toEqual([])
  })

  it('sees what the holder of the lock wrote before it got it', async () => {
    const other = new pg.Client({ connectionString: store.database.url })
    await other.connect()
    await other.query('begin')
    await other.query(
      `select tailrace.append_batches($1, true, '{2}', '{4}', '{0}', '{true}', E'1\\n2\\n'::bytea)`,
      [ids[0]],
    )
    const waiting = append(ids[0]!, { lines: ['3'] })
    await other.query('commit')
    await other.end()
    expect(await waiting).toMatchObject({ base_offset: 2 })
    expect(await store.lines(ids[0]!)).toEqual(['0 1', '1 2', '2 3'])
  })

  it('never goes back in time', async () => {
    const { appended_ms } = await append(ids[0]!, { lines: ['1'] })
    await store.database.query(
      `update tailrace.batches set appended_at = appended_at + interval '1 hour' where partition_id = $1`,
      [ids[0]],
    )
    expect((await append(ids[0]!, { lines: ['2'] })).appended_ms).toBe(appended_ms + 3_600_000)
  })

  it('notes the largest timestamps, of each batch and up to it', async () => {
    const { appended_ms } = await append(
      ids[0]!,
      { lines: ['1'], max_timestamp: 50, stamps: false },
      { lines: ['2'], max_timestamp: 20, stamps: false },
      { lines: ['3'], max_timestamp: 0, stamps: true },
      { lines: ['4'], max_timestamp: 9e15, stamps: true },
      { lines: ['5'], max_timestamp: 10, stamps: false },
    )
    const rows = await store.database.query<{ max: string; prefix: string }>(
      `select max_timestamp as max, prefix_max_timestamp as prefix from tailrace.batches
       where partition_id = $1 order by base_offset`,
      [ids[0]],
    )
    expect(rows.map(({ max, prefix }) => [Number(max), Number(prefix)])).toEqual([
      [50, 50],
      [20, 50],
      [appended_ms, appended_ms],
      [9e15, 9e15],
      [10, 9e15],
    ])
  })

  it('ends where offsets do', async () => {
    await setLogStart(ids[0]!, Number.MAX_SAFE_INTEGER - 1)
    expect(await append(ids[0]!, { lines: ['1'] })).toMatchObject({
      base_offset: Number.MAX_SAFE_INTEGER - 1,
    })
    await expect(append(ids[0]!, { lines: ['2'] })).rejects.toMatchObject({ code: '23514' })
  })

  it('is doubted where the database warns beside its success', async () => {
    await store.database.query(`
      create function warn() returns trigger language plpgsql as $$
      begin raise warning 'canceling wait for synchronous replication'; return new; end $$;
      create trigger warn before insert on tailrace.batches for each row execute function warn()`)
    const error = await append(ids[0]!, { lines: ['1'] }).catch((reason: unknown) => reason)
    await store.database.query('drop function warn cascade')
    expect(error).toMatchObject({ message: 'canceling wait for synchronous replication' })
    expect(await append(ids[0]!, { lines: ['2'] })).toMatchObject({ base_offset: 1 })
  })
})

describe('append_flush', () => {
  it('writes plain requests to several partitions', async () => {
    await append(ids[1]!, { lines: ['0'] })
    const outcomes = await send({ parts: [[ids[0]!, ['a']]] }, { parts: [[ids[1]!, ['b', 'c']]] })
    expect(outcomes).toMatchObject([
      { status: 'ok', request: 0, slot: 1, base_offset: 0 },
      { status: 'ok', request: 0, slot: 2, base_offset: 1 },
    ])
    expect(await highWatermarks()).toEqual([1, 3, 0])
  })

  it.each([
    ['descending', [1, 0]],
    ['repeated', [0, 0]],
  ])('refuses partitions that are %s, with 22023', async (_, order) => {
    const made = flush([{ parts: [[ids[0]!, ['a']]] }])
    const partition_ids = order.map((index) => ids[index]!)
    const refused = appendFlush(store.pools.append, { ...made, partition_ids })
    await expect(refused).rejects.toMatchObject({ code: '22023' })
    expect(await highWatermarks()).toEqual([0, 0, 0])
  })

  it('names every busy partition and writes nothing', async () => {
    const holder = await openHolder(store.database.url)
    await holder.lock(ids[0]!, ids[2]!)
    const made = flush(ids.map((id) => ({ parts: [[id, ['a']]] as [number, string[]][] })))
    const outcomes = await appendFlush(store.pools.append, made)
    expect(outcomes).toMatchObject([
      { status: 'busy', slot: 1 },
      { status: 'busy', slot: 3 },
    ])
    await holder.release()
    expect(await highWatermarks()).toEqual([0, 0, 0])
  })

  it('waits for the one lock it is told to wait for, holding no other meanwhile', async () => {
    const holder = await openHolder(store.database.url)
    await holder.lock(ids[1]!)
    const all = flush(ids.map((id) => ({ parts: [[id, ['a']]] as [number, string[]][] })))
    const waiting = appendFlush(store.pools.waiting, all, {
      partition_id: ids[1]!,
      until: performance.now() + 10_000,
    })
    await until(async () => {
      const found = await store.database.query(
        `select from pg_locks where locktype = 'advisory' and not granted`,
      )
      return found.length > 0
    })
    const other = await openHolder(store.database.url)
    await other.lock(ids[0]!, ids[2]!)
    await holder.release()
    expect(await waiting).toMatchObject([
      { status: 'busy', slot: 1 },
      { status: 'busy', slot: 3 },
    ])
    await other.release()
    expect(
      await appendFlush(store.pools.waiting, all, {
        partition_id: ids[1]!,
        until: performance.now() + 10_000,
      }),
    ).toMatchObject(ids.map((_, index) => ({ status: 'ok', slot: index + 1 })))
  })

  it('gives up the wait after its time, with nothing written', async () => {
    const holder = await openHolder(store.database.url)
    await holder.lock(ids[0]!)
    const made = flush([
      {
        parts: [
          [ids[0]!, ['a']],
          [ids[1]!, ['b']],
        ],
      },
    ])
    const refused = appendFlush(store.pools.waiting, made, {
      partition_id: ids[0]!,
      until: performance.now() + 10,
    })
    await expect(refused).rejects.toMatchObject({ code: '55P03' })
    await holder.release()
    expect(await highWatermarks()).toEqual([0, 0, 0])
  })

  it('names every partition that is gone and writes nothing', async () => {
    const outcomes = await send({
      parts: [
        [ids[0]!, ['a']],
        [888_888, ['b']],
        [999_999, ['c']],
      ],
    })
    expect(outcomes).toMatchObject([
      { status: 'unknown_partition', slot: 2 },
      { status: 'unknown_partition', slot: 3 },
    ])
    expect(await highWatermarks()).toEqual([0, 0, 0])
  })

  it('keeps a receipt of all that a keyed request wrote', async () => {
    const request = {
      parts: [
        [ids[0]!, ['a']],
        [ids[2]!, ['b', 'c']],
      ] as [number, string[]][],
      guard: { home: ids[1]! },
    }
    expect(await send(request)).toMatchObject([
      { status: 'ok', request: 1, slot: 1, base_offset: 0 },
      { status: 'ok', request: 1, slot: 3, base_offset: 0 },
    ])
    const offsets = [
      [ids[0], 0, 1],
      [ids[2], 0, 2],
    ]
    expect(await send(request)).toMatchObject([{ status: 'replayed', request: 1, offsets }])
    const other = { ...request, guard: { home: ids[1]!, digest: 'other' } }
    expect(await send(other)).toMatchObject([{ status: 'key_reused', request: 1 }])
    expect(await highWatermarks()).toEqual([1, 0, 2])
  })

  it('stores one of two requests with the same key in one flush', async () => {
    const request = { parts: [[ids[0]!, ['a']]] as [number, string[]][], guard: {} }
    const outcomes = await send(request, request, { ...request, guard: { digest: 'other' } })
    expect(outcomes.map(({ status, request: number }) => [status, number])).toEqual([
      ['ok', 1],
      ['replayed', 2],
      ['key_reused', 3],
    ])
    expect(await highWatermarks()).toEqual([1, 0, 0])
  })

  it('lets the same key be used with another home', async () => {
    await send({ parts: [[ids[0]!, ['a']]], guard: { home: ids[0]! } })
    expect(await send({ parts: [[ids[0]!, ['b']]], guard: { home: ids[1]! } })).toMatchObject([
      { status: 'ok' },
    ])
  })

  it('takes over a receipt that has expired', async () => {
    const request = { parts: [[ids[0]!, ['a']]] as [number, string[]][], guard: {} }
    await send(request)
    await store.database.query(
      `update tailrace.receipts set created_at = created_at - interval '24 hours' where partition_id = $1`,
      [ids[0]],
    )
    const again = { ...request, guard: { digest: 'another request' } }
    expect(await send(again)).toMatchObject([{ status: 'ok', base_offset: 1 }])
    expect(await send(again)).toMatchObject([{ status: 'replayed', offsets: [[ids[0], 1, 1]] }])
    expect(await send(request)).toMatchObject([{ status: 'key_reused' }])
    const rows = await store.database.query(
      'select from tailrace.receipts where partition_id = $1',
      [ids[0]],
    )
    expect(rows).toHaveLength(1)
  })

  it('refuses what does not find the log where it expects it, and only that', async () => {
    await append(ids[0]!, { lines: ['1', '2'] })
    await setLogStart(ids[2]!, 40)
    const at = (...expected: [number, number][]) => ({
      parts: [[ids[0]!, ['x']]] as [number, string[]][],
      guard: { key: null, digest: null, expected },
    })
    expect(
      await send(at([ids[0]!, 2]), at([ids[0]!, 2]), at([ids[0]!, 3]), {
        parts: [[ids[1]!, ['p']]],
      }),
    ).toMatchObject([
      { status: 'ok', request: 0 },
      { status: 'ok', request: 1, base_offset: 2 },
      { status: 'offset_mismatch', request: 2, offsets: [[ids[0], 3]] },
      { status: 'ok', request: 3, base_offset: 3 },
    ])
    expect(await send(at([ids[0]!, 0], [ids[1]!, 1], [ids[2]!, 0]))).toMatchObject([
      {
        status: 'offset_mismatch',
        offsets: [
          [ids[0], 4],
          [ids[2], 40],
        ],
      },
    ])
    expect(await send(at([ids[1]!, 1], [ids[2]!, 40]))).toMatchObject([{ status: 'ok' }])
  })

  it('sees plain records of the same flush as being there before', async () => {
    const guard = { key: null, digest: null, expected: [[ids[0]!, 0] as const] }
    const outcomes = await send({ parts: [[ids[0]!, ['g']]], guard }, { parts: [[ids[0]!, ['p']]] })
    expect(outcomes).toMatchObject([
      { status: 'ok', request: 0 },
      { status: 'offset_mismatch', request: 1, offsets: [[ids[0], 1]] },
    ])
  })

  it('replays a keyed request even where the log has moved on since', async () => {
    const guard = { expected: [[ids[0]!, 0] as const] }
    const request = { parts: [[ids[0]!, ['a']]] as [number, string[]][], guard }
    expect(await send(request)).toMatchObject([{ status: 'ok', base_offset: 0 }])
    expect(await send(request)).toMatchObject([{ status: 'replayed', offsets: [[ids[0], 0, 1]] }])
  })

  it('keeps no receipt of a request that it refused', async () => {
    const refused = {
      parts: [[ids[0]!, ['a']]] as [number, string[]][],
      guard: { expected: [[ids[0]!, 7] as const] },
    }
    expect(await send(refused)).toMatchObject([{ status: 'offset_mismatch' }])
    const allowed = { ...refused, guard: { digest: 'new', expected: [[ids[0]!, 0] as const] } }
    expect(await send(allowed)).toMatchObject([{ status: 'ok' }])
  })
})

describe('find_timestamp', () => {
  const arbitraryBatches = fc.array(fc.array(fc.nat(30), { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 12,
  })

  it('leads to the first offset that is young enough, wherever the log starts', async () => {
    let run = 0
    await fc.assert(
      fc.asyncProperty(arbitraryBatches, fc.nat(50), async (batches, start) => {
        const [id] = (await store.createTopic(`times-${String(topics)}-${String(++run)}`, 1))
          .partition_ids
        await append(
          id!,
          ...batches.map((timestamps) => ({
            lines: timestamps.map((timestamp) => `{"timestamp":${String(timestamp)},"value":1}`),
            max_timestamp: Math.max(...timestamps),
            stamps: false,
          })),
        )
        const all = batches.flat()
        const logStart = Math.min(start, all.length)
        await setLogStart(id!, logStart)
        for (const timestamp of [0, 1, 5, 10, 15, 20, 25, 29, 30, 31, ...all]) {
          const expected = all.findIndex((one, offset) => offset >= logStart && one >= timestamp)
          expect(await search(id!, logStart, timestamp)).toBe(expected)
        }
      }),
      { seed: 7070, numRuns: 25 },
    )
  })

  /** As the broker does: batch after batch, until one holds such a record. */
  async function search(id: number, logStart: number, timestamp: number): Promise<number> {
    for (let from = logStart; ;) {
      const found = await findTimestamp(store.pools, id, from, timestamp)
      if (!found) return -1
      const offset = offsetAtTimestamp(found, from, timestamp)
      if (offset !== undefined) return offset
      expect(found.next_offset).toBeGreaterThan(from)
      from = found.next_offset
    }
  }

  it('finds nothing in an empty log, nor past the end', async () => {
    expect(await findTimestamp(store.pools, ids[0]!, 0, 0)).toBeUndefined()
    await append(ids[0]!, { lines: ['1'], max_timestamp: 5, stamps: false })
    expect(await findTimestamp(store.pools, ids[0]!, 1, 0)).toBeUndefined()
    expect(await findTimestamp(store.pools, ids[0]!, 0, 6)).toBeUndefined()
    expect(await findTimestamp(store.pools, 999_999, 0, 0)).toBeUndefined()
  })
})

describe('fetch_batches', () => {
  beforeEach(async () => {
    await append(
      ids[0]!,
      { lines: ['0', '1', '2'] },
      { lines: ['3'] },
      { lines: ['4', '5'] },
      { lines: ['6'] },
    )
  })

  const fetch = (
    kind: 'offset' | 'earliest' | 'latest' | 'last',
    offset: number,
    max_records = 100,
    max_bytes = 1000,
  ) => fetchBatches(store.pools, ids[0]!, { kind, offset }, { max_records, max_bytes })

  it.each([
    ['offset', 0, 0, [0, 3, 4, 6]],
    ['offset', 2, 2, [0, 3, 4, 6]],
    ['offset', 3, 3, [3, 4, 6]],
    ['offset', 5, 5, [4, 6]],
    ['offset', 6, 6, [6]],
    ['offset', 7, 7, []],
    ['offset', 8, 8, []],
    ['earliest', 0, 0, [0, 3, 4, 6]],
    ['latest', 0, 7, []],
    ['last', 1, 6, [6]],
    ['last', 3, 4, [4, 6]],
    ['last', 4, 3, [3, 4, 6]],
    ['last', 1000, 0, [0, 3, 4, 6]],
    ['last', 0, 7, []],
  ] as const)('from %s %i begins at %i', async (kind, offset, fetch_offset, bases) => {
    const read = await fetch(kind, offset)
    expect(read).toMatchObject({ fetch_offset, log_start_offset: 0, high_watermark: 7 })
    expect(read?.batches.map(({ base_offset }) => base_offset)).toEqual(bases)
  })

  it.each([
    [1, 1000, [0]],
    [2, 1000, [0]],
    [3, 1000, [0, 3]],
    [4, 1000, [0, 3, 4]],
    // The first batch begins before the offset, and its bytes do not count.
    [100, 1, [0, 3]],
    [100, 4, [0, 3, 4]],
    [100, 5, [0, 3, 4]],
    [100, 7, [0, 3, 4, 6]],
  ])(
    'reads the batches that %i records or %i bytes need, and no more',
    async (max_records, max_bytes, bases) => {
      const read = await fetch('offset', 1, max_records, max_bytes)
      expect(read?.batches.map(({ base_offset }) => base_offset)).toEqual(bases)
    },
  )

  it('gives only the bounds outside the log', async () => {
    await setLogStart(ids[0]!, 4)
    expect(await fetch('offset', 3)).toMatchObject({
      log_start_offset: 4,
      high_watermark: 7,
      batches: [],
    })
    expect((await fetch('earliest', 0))?.batches.map(({ base_offset }) => base_offset)).toEqual([
      4, 6,
    ])
    expect(await fetch('last', 100)).toMatchObject({ fetch_offset: 4 })
    const nobody = { kind: 'earliest', offset: 0 } as const
    expect(
      await fetchBatches(store.pools, 999_999, nobody, { max_records: 1, max_bytes: 1 }),
    ).toBeUndefined()
  })

  it('keeps what is not ASCII, and counts its bytes', async () => {
    await append(ids[1]!, { lines: ['"é😀"'] })
    const read = await fetchBatches(
      store.pools,
      ids[1]!,
      { kind: 'earliest', offset: 0 },
      { max_records: 1, max_bytes: 1 },
    )
    expect(read?.batches).toMatchObject([{ payload: '"é😀"\n', byte_length: 9 }])
  })
})
