import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  FlushPlan,
  lockedBy,
  type AppendPart,
  type AppendRequest,
} from '../../src/broker/flush-plan.ts'
import { LIMITS } from '../../src/contract/limits.ts'
import type { FlushOutcome, Guard } from '../../src/store/append-batches.ts'

/** A part whose batches hold these many records each, their payload naming them. */
function part(partition_id: number, name: string, ...counts: number[]): AppendPart {
  const batches = counts.map((record_count, index) => ({
    payload: Buffer.from(`${name}${String(index)}\n`.repeat(record_count)),
    record_count,
    max_timestamp: index,
    stamps: index === 0,
  }))
  return { partition_id, batches, record_count: counts.reduce((sum, count) => sum + count, 0) }
}

function request(parts: AppendPart[], guard?: Partial<Guard>): AppendRequest {
  const bytes = parts
    .flatMap(({ batches }) => batches)
    .reduce((sum, { payload }) => sum + payload.length, 0)
  if (!guard) return { parts, bytes }
  return { parts, bytes, guard: { home: 1, key: 'k', digest: 'd', expected: [], ...guard } }
}

function outcome(status: FlushOutcome['status'], fields: Partial<FlushOutcome>): FlushOutcome {
  return {
    status,
    request: null,
    slot: null,
    base_offset: null,
    appended_ms: null,
    offsets: null,
    ...fields,
  }
}

/** What the flush says it writes, cut from its payload as the function does: partition and bytes. */
function written({ flush }: FlushPlan): { request: number; id: number; text: string }[] {
  const payload = Buffer.concat(flush.payload)
  let at = 0
  return flush.batches.map(({ request: number, slot, byte_length }) => {
    const text = payload.toString('utf8', at, (at += byte_length))
    return { request: number, id: flush.partition_ids[slot - 1] ?? -1, text }
  })
}

describe('plain requests for one partition', () => {
  it('share rows, in order, and each finds its own offsets', () => {
    const a = request([part(7, 'a', 2)])
    const b = request([part(7, 'b', 1, 3)])
    const c = request([part(7, 'c', 1)])
    const plan = new FlushPlan([a, b, c])
    expect(plan.isPlain).toBe(true)
    expect(written(plan)).toEqual([{ request: 0, id: 7, text: 'a0\na0\nb0\nb1\nb1\nb1\nc0\n' }])
    expect(plan.flush.batches[0]).toMatchObject({ record_count: 7, max_timestamp: 1, stamps: true })
    const results = plan.plainResults(100)
    expect([a, b, c].map((one) => results.get(one))).toEqual([
      { status: 'ok', parts: [{ partition_id: 7, base_offset: 100, record_count: 2 }] },
      { status: 'ok', parts: [{ partition_id: 7, base_offset: 102, record_count: 4 }] },
      { status: 'ok', parts: [{ partition_id: 7, base_offset: 106, record_count: 1 }] },
    ])
  })

  it('do not share a row past batch_bytes', () => {
    const half = {
      payload: Buffer.alloc(LIMITS.batch_bytes / 2, 'x'),
      record_count: 1,
      max_timestamp: 0,
      stamps: false,
    }
    const one = { payload: Buffer.from('y'), record_count: 1, max_timestamp: 5, stamps: true }
    const requests = [half, half, half, one].map((batch) =>
      request([{ partition_id: 1, batches: [batch], record_count: 1 }]),
    )
    const plan = new FlushPlan(requests)
    expect(plan.flush.batches).toMatchObject([
      { byte_length: LIMITS.batch_bytes, record_count: 2, max_timestamp: 0, stamps: false },
      { byte_length: LIMITS.batch_bytes / 2 + 1, record_count: 2, max_timestamp: 5, stamps: true },
    ])
    const bases = requests.map((each) => plan.plainResults(0).get(each))
    expect(bases).toMatchObject([0, 1, 2, 3].map((base_offset) => ({ parts: [{ base_offset }] })))
  })

  it('leave the batches they came with alone', () => {
    const shared = part(1, 'a', 1)
    const before = structuredClone(shared.batches[0])
    new FlushPlan([request([shared]), request([part(1, 'b', 1)])])
    expect(structuredClone(shared.batches[0])).toEqual(before)
  })

  it('cost no copy', () => {
    const alone = request([part(1, 'a', 3)])
    expect(new FlushPlan([alone]).flush.payload[0]).toBe(alone.parts[0]?.batches[0]?.payload)
  })
})

describe('requests over several partitions', () => {
  it('are laid out partition by partition, ascending', () => {
    const a = request([part(3, 'a', 1), part(9, 'A', 2)])
    const b = request([part(5, 'b', 1)])
    const c = request([part(3, 'c', 2)])
    const plan = new FlushPlan([a, b, c])
    expect(plan.isPlain).toBe(false)
    expect(plan.flush.partition_ids).toEqual([3, 5, 9])
    expect(written(plan)).toEqual([
      { request: 0, id: 3, text: 'a0\nc0\nc0\n' },
      { request: 0, id: 5, text: 'b0\n' },
      { request: 0, id: 9, text: 'A0\nA0\n' },
    ])
    const results = plan.results([
      outcome('ok', { request: 0, slot: 1, base_offset: 10 }),
      outcome('ok', { request: 0, slot: 2, base_offset: 20 }),
      outcome('ok', { request: 0, slot: 3, base_offset: 30 }),
    ])
    expect([a, b, c].map((one) => results.get(one))).toEqual([
      {
        status: 'ok',
        parts: [
          { partition_id: 3, base_offset: 10, record_count: 1 },
          { partition_id: 9, base_offset: 30, record_count: 2 },
        ],
      },
      { status: 'ok', parts: [{ partition_id: 5, base_offset: 20, record_count: 1 }] },
      { status: 'ok', parts: [{ partition_id: 3, base_offset: 11, record_count: 2 }] },
    ])
  })

  it('sort partition ids as numbers', () => {
    const ids = [10, 9, 100, 2]
    const plan = new FlushPlan(ids.map((id) => request([part(id, 'x', 1)])))
    expect(plan.flush.partition_ids).toEqual([2, 9, 10, 100])
  })

  it('name the partitions that an answer refuses', () => {
    const plan = new FlushPlan([request([part(4, 'a', 1)]), request([part(6, 'b', 1)])])
    expect(plan.partitionsOf([outcome('busy', { slot: 2 })])).toEqual(new Set([6]))
    expect(plan.partitionsOf([outcome('busy', { slot: 1 }), outcome('busy', { slot: 2 })])).toEqual(
      new Set([4, 6]),
    )
  })
})

describe('guarded requests', () => {
  it('come after the plain ones and never share a row', () => {
    const plain = request([part(1, 'p', 1)])
    const first = request([part(1, 'f', 2)], { key: 'one' })
    const second = request([part(1, 's', 1), part(2, 'S', 1)], { key: 'two', home: 2 })
    const plan = new FlushPlan([first, plain, second])
    expect(plan.isPlain).toBe(false)
    expect(plan.flush.guards.map(({ key }) => key)).toEqual(['one', 'two'])
    expect(written(plan)).toEqual([
      { request: 0, id: 1, text: 'p0\n' },
      { request: 1, id: 1, text: 'f0\nf0\n' },
      { request: 2, id: 1, text: 's0\n' },
      { request: 2, id: 2, text: 'S0\n' },
    ])
  })

  it('lock the home of their key and what they expect, too', () => {
    const guarded = request([part(5, 'a', 1)], {
      home: 8,
      expected: [
        [2, 0],
        [5, 1],
      ],
    })
    expect([...lockedBy(guarded)].sort()).toEqual([2, 5, 5, 8])
    const plan = new FlushPlan([guarded])
    expect(plan.flush.partition_ids).toEqual([2, 5, 8])
    expect(plan.flush.batches).toMatchObject([{ request: 1, slot: 2 }])
  })

  it('alone for one partition still are not plain', () => {
    expect(new FlushPlan([request([part(1, 'a', 1)], {})]).isPlain).toBe(false)
  })

  it('each get their own answer', () => {
    const plain = request([part(1, 'p', 3)])
    const written_ = request([part(1, 'w', 2), part(4, 'W', 1)], {})
    const replayed = request([part(1, 'r', 1)], {})
    const reused = request([part(4, 'u', 1)], {})
    const mismatch = request([part(4, 'm', 1)], { key: null, expected: [[4, 0]] })
    const plan = new FlushPlan([written_, replayed, plain, reused, mismatch])
    const results = plan.results([
      outcome('ok', { request: 0, slot: 1, base_offset: 50 }),
      outcome('ok', { request: 1, slot: 1, base_offset: 53 }),
      outcome('ok', { request: 1, slot: 2, base_offset: 70 }),
      outcome('replayed', {
        request: 2,
        offsets: [
          [1, 6, 1],
          [4, 8, 2],
        ],
      }),
      outcome('key_reused', { request: 3, offsets: [[4, 1, 1]] }),
      outcome('offset_mismatch', { request: 4, offsets: [[4, 71]] }),
    ])
    expect(results.get(plain)).toEqual({
      status: 'ok',
      parts: [{ partition_id: 1, base_offset: 50, record_count: 3 }],
    })
    expect(results.get(written_)).toEqual({
      status: 'ok',
      parts: [
        { partition_id: 1, base_offset: 53, record_count: 2 },
        { partition_id: 4, base_offset: 70, record_count: 1 },
      ],
    })
    expect(results.get(replayed)).toEqual({
      status: 'replayed',
      parts: [
        { partition_id: 1, base_offset: 6, record_count: 1 },
        { partition_id: 4, base_offset: 8, record_count: 2 },
      ],
    })
    expect(results.get(reused)).toEqual({ status: 'key_reused' })
    expect(results.get(mismatch)).toEqual({
      status: 'offset_mismatch',
      high_watermarks: new Map([[4, 71]]),
    })
  })
})

describe('any flush', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 })
  const arbitraryRequest = fc.tuple(
    fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
    sizes,
    fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
  )

  it('writes each record once and tells each request where its own are', () => {
    fc.assert(
      fc.property(fc.array(arbitraryRequest, { minLength: 1, maxLength: 8 }), (shapes) => {
        const requests = shapes.map(([ids, counts, home], index) =>
          request(
            [...ids]
              .sort((a, b) => a - b)
              .map((id) => part(id, `${String(index)}/${String(id)}/`, ...counts)),
            home === undefined ? undefined : { home },
          ),
        )
        const plan = new FlushPlan(requests)
        const logs = new Map(plan.flush.partition_ids.map((id) => [id, [] as string[]]))
        const outcomes = appendAll(plan, logs)
        const results = plan.isPlain ? plan.plainResults(0) : plan.results(outcomes)
        for (const one of requests) {
          const result = results.get(one)
          if (result?.status !== 'ok') throw new Error('not written')
          expect(result.parts).toHaveLength(one.parts.length)
          for (const { partition_id, base_offset, record_count } of result.parts) {
            const own = one.parts.find(({ partition_id: id }) => id === partition_id)
            const sent = own?.batches.map(({ payload }) => payload.toString()).join('')
            const log = logs.get(partition_id)?.slice(base_offset, base_offset + record_count)
            expect(log?.map((line) => `${line}\n`).join('')).toBe(sent)
          }
        }
        const total = requests
          .flatMap(({ parts }) => parts)
          .reduce((sum, { record_count }) => sum + record_count, 0)
        expect([...logs.values()].flat()).toHaveLength(total)
      }),
      { seed: 7070, numRuns: 300 },
    )
  })

  /** What append_flush does when nothing is refused: rows of one request and partition stand side by side. */
  function appendAll(plan: FlushPlan, logs: Map<number, string[]>): FlushOutcome[] {
    const outcomes: FlushOutcome[] = []
    let last = ''
    written(plan).forEach(({ request: number, id, text }, index) => {
      const log = logs.get(id) ?? []
      const place = `${String(number)}/${String(id)}`
      const slot = plan.flush.batches[index]?.slot ?? 0
      if (place !== last)
        outcomes.push(outcome('ok', { request: number, slot, base_offset: log.length }))
      last = place
      log.push(...text.split('\n').slice(0, -1))
    })
    expect(
      new Set(outcomes.map(({ request: number, slot }) => `${String(number)}/${String(slot)}`))
        .size,
    ).toBe(outcomes.length)
    return outcomes
  }
})
