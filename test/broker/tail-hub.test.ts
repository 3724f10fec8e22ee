import { afterEach, describe, expect, it } from 'vitest'
import { TailHub } from '../../src/broker/tail-hub.ts'
import { Wakeups } from '../../src/broker/wakeups.ts'
import type { FetchedBatches } from '../../src/store/fetch-batches.ts'
import { until } from '../support/within.ts'

/** A log of one-record batches in memory, and how often it was read: what matters here is who reads when. */
class CountedLog {
  end = 0
  reads = 0

  read = (_id: number, offset: number): Promise<FetchedBatches> => {
    this.reads++
    const batches = Array.from({ length: this.end - offset }, (_, k) => ({
      base_offset: offset + k,
      next_offset: offset + k + 1,
      appended_ms: 0,
      byte_length: 2,
      payload: '{\n',
    }))
    const bounds = { log_start_offset: 0, high_watermark: this.end, fetch_offset: offset }
    return Promise.resolve({ ...bounds, batches })
  }
}

const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

function openHub(log: CountedLog): { hub: TailHub; wakeups: Wakeups } {
  const wakeups = new Wakeups((ids) =>
    Promise.resolve(
      ids.map((partition_id) => ({ partition_id, log_start_offset: 0, high_watermark: log.end })),
    ),
  )
  const hub = new TailHub({
    wakeups,
    read: log.read,
    partitionsOf: () => Promise.resolve(new Map<number, number[]>()),
  })
  ends.push(() => {
    wakeups.close()
    hub.close()
  })
  return { hub, wakeups }
}

describe('the tailer of a partition', () => {
  it('reads each batch once, however many readers there are', async () => {
    const log = new CountedLog()
    const { hub, wakeups } = openHub(log)
    const woken = Array.from({ length: 200 }, () => 0)
    const tailer = hub.use(1)
    woken.forEach((_, reader) => {
      expect(hub.use(1)).toBe(tailer)
      tailer.readers.add(() => (woken[reader] = (woken[reader] ?? 0) + 1))
    })
    tailer.attach(0)
    for (let batch = 1; batch <= 50; batch++) {
      log.end = batch
      wakeups.appended(1, batch)
      await until(() => tailer.find(batch - 1).kind === 'batches')
    }
    expect(log.reads).toBe(50)
    expect(new Set(woken)).toEqual(new Set([50]))
  })

  it('does not spin on news that is not true', async () => {
    const log = new CountedLog()
    const { hub, wakeups } = openHub(log)
    const tailer = hub.use(1)
    tailer.attach(0)
    wakeups.appended(1, 1_000_000)
    await until(() => log.reads === 1)
    log.end = 5
    wakeups.appended(1, 1_000_001)
    await until(() => tailer.find(4).kind === 'batches')
    expect(log.reads).toBe(2)
  })

  it('is given up with its last reader', () => {
    const { hub } = openHub(new CountedLog())
    const tailer = hub.use(1)
    hub.use(1)
    hub.release(1)
    expect(hub.use(1)).toBe(tailer)
    hub.release(1)
    hub.release(1)
    expect(hub.use(1)).not.toBe(tailer)
    hub.release(1)
  })
})
