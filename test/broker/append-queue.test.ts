import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AppendQueue, PartitionGone } from '../../src/broker/append-queue.ts'
import type { AppendRequest, AppendResult } from '../../src/broker/flush-plan.ts'
import { LIMITS } from '../../src/contract/limits.ts'
import { openHolder } from '../support/locks.ts'
import { openTestStore, type TestStore } from '../support/log.ts'
import { within } from '../support/within.ts'

let store: TestStore
let queue: AppendQueue
let ids: number[]
let told: [number, number][]
let topics = 0

beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store.close())

/** Each test has six partitions of its own and a fresh queue. */
beforeEach(async () => {
  ids = (await store.createTopic(`topic-${String(++topics)}`, 6)).partition_ids
  told = []
  queue = new AppendQueue(store.pools, (id, highWatermark) => told.push([id, highWatermark]))
  return async () => {
    await queue.drained()
  }
})

/** One record for each of these partitions (by number), all or nothing. */
function request(name: string, ...partitions: number[]): AppendRequest {
  const payload = Buffer.from(`{"value":"${name}"}\n`)
  const batch = { payload, record_count: 1, max_timestamp: 0, stamps: true }
  const parts = partitions.map((partition) => ({
    partition_id: ids[partition]!,
    batches: [batch],
    record_count: 1,
  }))
  return { parts, bytes: payload.length * parts.length }
}

const append = async (name: string, ...partitions: number[]): Promise<AppendResult> =>
  queue.append(request(name, ...partitions))

async function values(partition: number): Promise<string[]> {
  const lines = await store.lines(ids[partition]!)
  return lines.map((line) => /"value":"(.*)"/.exec(line)?.[1] ?? line)
}

const busy = { code: 'partition_busy', details: { written: 'no', retry_after_s: 1 } }

/** Appends to these partitions, one round after the other, until the promise is settled; how many rounds. */
async function roundsUntil(settled: Promise<unknown>, ...partitions: number[]): Promise<number> {
  const state = { pending: true }
  void settled.finally(() => (state.pending = false))
  let rounds = 0
  for (; state.pending; rounds++) {
    await Promise.all(partitions.map((partition) => append('other', partition)))
  }
  return rounds
}

describe('appends', () => {
  it('of one turn share a flush and keep their order', async () => {
    const names = Array.from({ length: 50 }, (_, index) => `r${String(index)}`)
    const results = await Promise.all(names.map((name) => append(name, 0)))
    expect(await values(0)).toEqual(names)
    expect(results).toMatchObject(
      names.map((_, offset) => ({ status: 'ok', parts: [{ base_offset: offset }] })),
    )
    const rows = await store.database.query(
      'select from tailrace.batches where partition_id = $1',
      [ids[0]],
    )
    expect(rows).toHaveLength(1)
    expect(told).toEqual([[ids[0], 50]])
  })

  it('over several partitions are told to readers, each partition once a flush', async () => {
    await Promise.all([append('a', 0, 1), append('b', 1), append('c', 2, 1)])
    expect(new Map(told)).toEqual(
      new Map([
        [ids[0], 1],
        [ids[1], 3],
        [ids[2], 1],
      ]),
    )
    expect(told).toHaveLength(3)
  })

  it('are all through once the queue is drained', async () => {
    for (let index = 0; index < 20; index++) void append(`r${String(index)}`, index % 2)
    await queue.drained()
    expect([await values(0), await values(1)].flat()).toHaveLength(20)
    await queue.drained()
  })
})

describe('a partition that another session has locked', () => {
  it('answers 503 partition_busy, written no, within 5 s, while the others go on', async () => {
    const holder = await openHolder(store.database.url)
    await holder.lock(ids[1]!)
    const stuck = [append('first', 1)]
    await append('other', 0)
    // Those who join the wait are refused with it; a request for two partitions is refused whole.
    stuck.push(append('joined', 1), append('both', 1, 2))
    const outcomes = within(5000, Promise.allSettled(stuck))
    const rounds = await roundsUntil(outcomes, 0, 2, 3)
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: busy })
    }
    expect(rounds).toBeGreaterThan(10)
    await holder.release()
    expect(await values(2)).toEqual(Array(rounds).fill('other'))
    await append('after', 1)
    expect(await values(1)).toEqual(['after'])
  })

  it('is written to once the lock is released in time, in the order of arrival', async () => {
    const holder = await openHolder(store.database.url)
    await holder.lock(ids[1]!)
    const first = [append('a', 1), append('b', 1)]
    await append('other', 2)
    const later = [append('c', 1), append('d', 1, 2), append('e', 1)]
    await append('other', 3)
    await holder.release()
    const results = await Promise.all([...first, ...later])
    expect(await values(1)).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(await values(2)).toEqual(['other', 'd'])
    expect(results.map((result) => result.status)).toEqual(Array(5).fill('ok'))
    expect(new Map(told)).toEqual(
      new Map([
        [ids[1], 5],
        [ids[2], 2],
        [ids[3], 1],
      ]),
    )
  })

  it('does not hold up the other partitions of requests that need it too', async () => {
    const holder = await openHolder(store.database.url)
    await holder.lock(ids[5]!)
    // Partition 0 has the lower id: its lock comes first, and must not be kept while 5 is waited for.
    const both = Promise.allSettled([append('both', 0, 5)])
    const rounds = await roundsUntil(both, 0)
    expect(await both).toMatchObject([{ status: 'rejected', reason: busy }])
    await holder.release()
    expect(await values(0)).toEqual(Array(rounds).fill('other'))
    expect(rounds).toBeGreaterThan(10)
  })

  it('is one of many: each request is answered within 5 s, the later ones too', async () => {
    const holder = await openHolder(store.database.url)
    await holder.lock(...ids.slice(0, 5))
    // There are four connections to wait on; the fifth wait begins when the first four are under way.
    const stuck = [0, 1, 2, 3].map((partition) => within(5000, append('stuck', partition)))
    const refused = Promise.allSettled(stuck)
    await sleep(1500)
    const late = within(5000, append('stuck', 4))
    const outcomes = Promise.allSettled([late, refused])
    await append('other', 5)
    const reason = { status: 503, details: { written: 'no' } }
    for (const outcome of await refused)
      expect(outcome).toMatchObject({ status: 'rejected', reason })
    expect((await outcomes)[0]).toMatchObject({ status: 'rejected', reason })
    await holder.release()
    expect(await values(5)).toEqual(['other'])
    expect(await store.lines(ids[0]!)).toEqual([])
  })
})

describe('the bound of the queue', () => {
  it('refuses what is past it, and takes more when some is written', async () => {
    const holder = await openHolder(store.database.url)
    await holder.lock(ids[0]!)
    const half = { ...request('half', 0), bytes: LIMITS.queue_bytes / 2 }
    const waiting = [queue.append(half), queue.append(half)]
    await expect(append('more', 1)).rejects.toMatchObject({
      code: 'queue_full',
      status: 429,
      details: { written: 'no', retry_after_s: 1 },
    })
    await holder.release()
    await Promise.all(waiting)
    await append('again', 1)
    expect(await values(0)).toEqual(['half', 'half'])
    expect(await values(1)).toEqual(['again'])
  })

  it('lets one request pass, however large', async () => {
    await queue.append({ ...request('large', 0), bytes: LIMITS.queue_bytes + 1 })
    expect(await values(0)).toEqual(['large'])
  })

  it('counts what was refused no longer', async () => {
    const gone = { ...request('gone', 0), bytes: LIMITS.queue_bytes }
    gone.parts[0]!.partition_id = 999_999
    await expect(queue.append(gone)).rejects.toBeInstanceOf(PartitionGone)
    await append('next', 0)
    expect(await values(0)).toEqual(['next'])
  })
})

describe('a partition that does not exist', () => {
  it('refuses its own requests, not those that share the flush', async () => {
    const gone = request('gone', 0)
    gone.parts[0]!.partition_id = 999_999
    const outcomes = await Promise.allSettled([append('a', 0), queue.append(gone), append('b', 1)])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(outcomes[1]).toMatchObject({ reason: expect.any(PartitionGone) })
    expect([await values(0), await values(1)]).toEqual([['a'], ['b']])
  })

  it('refuses a request for it and another partition whole', async () => {
    const gone = request('gone', 0, 1)
    gone.parts[1]!.partition_id = 999_999
    await expect(queue.append(gone)).rejects.toBeInstanceOf(PartitionGone)
    expect(await values(0)).toEqual([])
  })

  it('is found out by those who waited for its lock', async () => {
    const holder = await openHolder(store.database.url)
    await holder.lock(ids[0]!)
    const waiting = append('late', 0)
    const refused = expect(waiting).rejects.toBeInstanceOf(PartitionGone)
    await append('other', 1)
    await store.database.query('delete from tailrace.log_starts where partition_id = $1', [ids[0]])
    await holder.release()
    await refused
  })
})

describe('a flush that another writer got in the way of', () => {
  it.each(['23505', '40001', '40P01'])('is sent again after %s', async (code) => {
    const sequence = `failures_${code.toLowerCase()}`
    await store.database.query(`create sequence ${sequence}`)
    await failInserts(code, `nextval('${sequence}') <= 3`)
    const result = await append('r', 0)
    await stopFailing()
    expect(result).toMatchObject({ status: 'ok', parts: [{ base_offset: 0 }] })
    expect(await values(0)).toEqual(['r'])
  })

  it('is given up at last, with nothing written', async () => {
    await failInserts('40001', 'true')
    await expect(append('r', 0)).rejects.toMatchObject({
      code: 'store_unavailable',
      details: { written: 'no' },
    })
    await stopFailing()
    expect(await values(0)).toEqual([])
  })

  it('is an internal error where the database has another reason', async () => {
    await failInserts('22012', 'true')
    await expect(append('r', 0)).rejects.toMatchObject({
      code: 'internal_error',
      details: { written: 'no' },
    })
    await stopFailing()
    expect(await append('next', 0)).toMatchObject({ status: 'ok' })
  })

  async function failInserts(code: string, condition: string): Promise<void> {
    await store.database.query(`
      create function fail_insert() returns trigger language plpgsql as $$
      begin
        if ${condition} then raise 'in the way' using errcode = '${code}'; end if;
        return new;
      end $$;
      create trigger fail_insert before insert on tailrace.batches
        for each row execute function fail_insert()`)
  }
  const stopFailing = () => store.database.query('drop function fail_insert cascade')
})
