import type { ConsumedRecord, RecordHandler } from './options.ts'

/** How far the work on one partition's records has come. */
export interface Lane {
  topic: string
  partition: number
  records: readonly ConsumedRecord[]
  /** The next offset to read; undefined where none is done. */
  done: number | undefined
}

/** Records by partition, each in order. */
export function lanesOf(records: readonly ConsumedRecord[]): Lane[] {
  const lanes = new Map<string, { lane: Lane; records: ConsumedRecord[] }>()
  for (const record of records) {
    const { topic, partition } = record
    const place = `${topic}/${String(partition)}`
    const known = lanes.get(place)
    if (known) known.records.push(record)
    else {
      const first = [record]
      lanes.set(place, {
        lane: { topic, partition, records: first, done: undefined },
        records: first,
      })
    }
  }
  return [...lanes.values()].map(({ lane }) => lane)
}

/**
 * Works on the lanes, so many at the same time and each in order, until all are done, one has failed or `signal`
 * says to stop; in any case what has begun is finished. Throws what failed first.
 */
export async function workOn(
  lanes: readonly Lane[],
  handler: RecordHandler,
  { concurrency, signal }: { concurrency: number; signal: AbortSignal },
): Promise<void> {
  const waiting = [...lanes]
  const failed = new AbortController()
  const stopped = AbortSignal.any([signal, failed.signal])
  const worker = async () => {
    for (let lane = waiting.shift(); lane && !stopped.aborted; lane = waiting.shift()) {
      try {
        await workThrough(lane, handler, stopped)
      } catch (error) {
        failed.abort(new Failed(error))
      }
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  const reason: unknown = failed.signal.reason
  if (reason instanceof Failed) throw reason.cause
}

class Failed extends Error {
  constructor(cause: unknown) {
    super('a handler failed', { cause })
  }
}

async function workThrough(
  lane: Lane,
  handler: RecordHandler,
  stopped: AbortSignal,
): Promise<void> {
  for (const record of lane.records) {
    if (stopped.aborted) return
    await handler(record, stopped)
    lane.done = record.offset + 1
  }
}
