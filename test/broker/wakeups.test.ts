import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Wakeups } from '../../src/broker/wakeups.ts'
import { LIMITS } from '../../src/contract/limits.ts'
import type { PartitionBounds } from '../../src/store/fetch-batches.ts'

const MINUTE = 60_000
const never = new AbortController().signal

/** What other nodes have appended, as the poll finds it; absent: the partition is gone. */
let others: Map<number, number>
let polled: number[][]
let wakeups: Wakeups

beforeEach(() => {
  vi.useFakeTimers()
  others = new Map()
  polled = []
  wakeups = new Wakeups(poll)
})
afterEach(() => {
  vi.useRealTimers()
})

async function poll(ids: readonly number[]): Promise<PartitionBounds[]> {
  polled.push([...ids])
  return ids.flatMap((partition_id) => {
    const high_watermark = others.get(partition_id)
    return high_watermark === undefined
      ? []
      : [{ partition_id, log_start_offset: 0, high_watermark }]
  })
}

/** Is it settled once everything that can run without time passing has run? */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  void promise.then(
    () => (settled = true),
    () => (settled = true),
  )
  await vi.advanceTimersByTimeAsync(0)
  return settled
}

describe('a reader that waits', () => {
  it('is woken by an append past what it has read', async () => {
    const waiting = wakeups.watch(1).changed(5, never, MINUTE)
    wakeups.appended(2, 9)
    expect(await isSettled(waiting)).toBe(false)
    wakeups.appended(1, 6)
    expect(await isSettled(waiting)).toBe(true)
  })

  it('is woken with all others of its partition', async () => {
    const waiting = Promise.all([1, 2, 3].map(() => wakeups.watch(1).changed(0, never, MINUTE)))
    wakeups.appended(1, 1)
    expect(await isSettled(waiting)).toBe(true)
  })

  it('goes home after its time', async () => {
    others.set(1, 0)
    const waiting = wakeups.watch(1).changed(0, never, 1000)
    await vi.advanceTimersByTimeAsync(999)
    expect(await isSettled(waiting)).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(await isSettled(waiting)).toBe(true)
  })

  it('goes home when its caller hangs up, or has done so before', async () => {
    const hangUp = new AbortController()
    const waiting = wakeups.watch(1).changed(0, hangUp.signal, MINUTE)
    expect(await isSettled(waiting)).toBe(false)
    hangUp.abort()
    expect(await isSettled(waiting)).toBe(true)
    expect(await isSettled(wakeups.watch(1).changed(0, hangUp.signal, MINUTE))).toBe(true)
  })

  it('goes home when the node closes, and nobody waits from then on', async () => {
    const waiting = Promise.all([1, 2].map((id) => wakeups.watch(id).changed(0, never, MINUTE)))
    expect(wakeups.closed).toBe(false)
    wakeups.close()
    expect(wakeups.closed).toBe(true)
    expect(await isSettled(waiting)).toBe(true)
    expect(await isSettled(wakeups.watch(3).changed(0, never, MINUTE))).toBe(true)
  })

  it('leaves no timer behind, however it was woken', async () => {
    const hangUp = new AbortController()
    const watch = wakeups.watch(1)
    others.set(1, 0)
    const waiting = [
      watch.changed(0, hangUp.signal, MINUTE),
      watch.changed(0, never, MINUTE),
      watch.changed(3, never, 10),
    ]
    hangUp.abort()
    wakeups.appended(1, 2)
    await vi.advanceTimersByTimeAsync(LIMITS.poll_ms + 10)
    await Promise.all(waiting)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('leaves no listener behind on the signal of its caller', async () => {
    const { signal } = new AbortController()
    const waiting = wakeups.watch(1).changed(0, signal, MINUTE)
    wakeups.appended(1, 1)
    await waiting
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('is one of at most waiting_fetches; the next is told to come back', async () => {
    const watch = wakeups.watch(1)
    const waiting = Array.from({ length: LIMITS.waiting_fetches }, () =>
      watch.changed(0, new AbortController().signal, MINUTE),
    )
    await expect(watch.changed(0, never, MINUTE)).rejects.toMatchObject({
      code: 'queue_full',
      details: { retry_after_s: 1 },
    })
    wakeups.appended(1, 1)
    await Promise.all(waiting)
    expect(await isSettled(watch.changed(1, never, MINUTE))).toBe(false)
  })

  it('may be for any of many partitions, and is one wait', async () => {
    const watches = Array.from({ length: LIMITS.waiting_fetches + 1 }, (_, id) => wakeups.watch(id))
    const waits = watches.map((watch) => ({ watch, high_watermark: 0 }))
    const { signal } = new AbortController()
    const waiting = wakeups.anyChanged(waits, signal)
    expect(await isSettled(waiting)).toBe(false)
    wakeups.appended(7, 1)
    expect(await isSettled(waiting)).toBe(true)
    // What came to one is told by the next wait, too, to who has not read it; what was told to all is not.
    expect(getEventListeners(signal, 'abort')).toEqual([])
    waits[7]!.high_watermark = 1
    const next = wakeups.anyChanged(waits, signal)
    expect(await isSettled(next)).toBe(false)
    wakeups.appended(9, 1)
    expect(await isSettled(next)).toBe(true)
  })
})

describe('no wake-up is lost', () => {
  it('that comes between the read and the wait', async () => {
    const watch = wakeups.watch(1)
    // The reader reads and finds 5; before it waits, the sixth record is appended.
    wakeups.appended(1, 6)
    expect(await isSettled(watch.changed(5, never, MINUTE))).toBe(true)
    expect(await isSettled(watch.changed(6, never, MINUTE))).toBe(false)
  })

  it('that comes while another reader of the partition leaves', async () => {
    const first = wakeups.watch(1)
    const second = wakeups.watch(1)
    first.end()
    wakeups.appended(1, 1)
    expect(await isSettled(second.changed(0, never, MINUTE))).toBe(true)
    second.end()
    expect(await isSettled(wakeups.watch(1).changed(0, never, MINUTE))).toBe(false)
  })

  it('whatever the order in which reads, waits and appends happen', async () => {
    vi.useRealTimers()
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.integer({ min: 1, max: 3 }),
        async (scheduler, readers) => {
          // Without polls: what the local appends say must do.
          const quiet = new Wakeups(() => new Promise(() => undefined))
          const end = 4
          let highWatermark = 0
          const read = async (): Promise<number> => {
            await scheduler.schedule(Promise.resolve(), 'the read is sent')
            const seen = highWatermark
            await scheduler.schedule(Promise.resolve(), 'the read is answered')
            return seen
          }
          const follow = async () => {
            const watch = quiet.watch(1)
            for (let seen = await read(); seen < end; seen = await read()) {
              await watch.changed(seen, never, 2 ** 30)
            }
            watch.end()
          }
          const append = async () => {
            for (let offset = 1; offset <= end; offset++) {
              await scheduler.schedule(Promise.resolve(), `commit ${String(offset)}`)
              highWatermark = offset
              await scheduler.schedule(Promise.resolve(), `told of ${String(offset)}`)
              quiet.appended(1, offset)
            }
          }
          const all = Promise.all([append(), ...Array.from({ length: readers }, follow)])
          await scheduler.waitFor(all)
          quiet.close()
        },
      ),
      { seed: 7070, numRuns: 200 },
    )
  })
})

describe('the poll', () => {
  it('finds what other nodes appended', async () => {
    others.set(1, 0)
    const waiting = wakeups.watch(1).changed(0, never, MINUTE)
    await vi.advanceTimersByTimeAsync(3 * LIMITS.poll_ms)
    expect(await isSettled(waiting)).toBe(false)
    others.set(1, 1)
    await vi.advanceTimersByTimeAsync(LIMITS.poll_ms)
    expect(await isSettled(waiting)).toBe(true)
  })

  it('wakes readers of a partition that is gone', async () => {
    const waiting = wakeups.watch(1).changed(0, never, MINUTE)
    await vi.advanceTimersByTimeAsync(LIMITS.poll_ms)
    expect(await isSettled(waiting)).toBe(true)
  })

  it('asks for all partitions that are waited for at once, and for no others', async () => {
    for (const id of [1, 2, 3]) others.set(id, 0)
    for (const id of [1, 1, 2]) void wakeups.watch(id).changed(0, never, MINUTE)
    wakeups.watch(3)
    await vi.advanceTimersByTimeAsync(LIMITS.poll_ms)
    expect(polled).toEqual([[1, 2]])
  })

  it('rests while nobody waits, and begins again with the next', async () => {
    others.set(1, 0)
    const watch = wakeups.watch(1)
    const waiting = watch.changed(0, never, 10)
    await vi.advanceTimersByTimeAsync(10)
    await waiting
    await vi.advanceTimersByTimeAsync(10 * LIMITS.poll_ms)
    expect(polled).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
    const again = watch.changed(0, never, MINUTE)
    others.set(1, 1)
    await vi.advanceTimersByTimeAsync(LIMITS.poll_ms)
    expect(await isSettled(again)).toBe(true)
  })

  it('goes on after the database was away', async () => {
    let away = true
    const patient = new Wakeups(async (ids) => {
      if (away) throw new Error('no database')
      return poll(ids)
    })
    others.set(1, 1)
    const waiting = patient.watch(1).changed(0, never, MINUTE)
    await vi.advanceTimersByTimeAsync(5 * LIMITS.poll_ms)
    expect(await isSettled(waiting)).toBe(false)
    away = false
    await vi.advanceTimersByTimeAsync(LIMITS.poll_ms)
    expect(await isSettled(waiting)).toBe(true)
  })

  it('is not sent twice at a time, however slow the database', async () => {
    let asked = 0
    const slow = new Wakeups(async () => {
      asked++
      return new Promise(() => undefined)
    })
    void slow.watch(1).changed(0, never, MINUTE)
    void slow.watch(2).changed(0, never, MINUTE)
    await vi.advanceTimersByTimeAsync(10 * LIMITS.poll_ms)
    expect(asked).toBe(1)
  })
})
