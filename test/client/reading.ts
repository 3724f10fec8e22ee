import { setImmediate as turn } from 'node:timers/promises'
import { vi } from 'vitest'
import { WebSocket } from 'ws'
import { tail, type Tail, type TailedRecord, type TailOptions } from '../../src/client/index.ts'
import type { Form } from './messages.ts'

/** A tail in one of the forms, with the WebSocket that Node 20 does not have. */
export function open(
  url: string,
  form: Form,
  options: TailOptions = {},
  topics: string | string[] = 'orders',
): Tail {
  return tail(url, topics, { form, WebSocket, ...options })
}

/** All records, until the tail ends. */
export async function readAll(following: Tail): Promise<TailedRecord[]> {
  const records: TailedRecord[] = []
  for await (const record of following) records.push(record)
  return records
}

/** The place of each record. */
export function places(records: readonly TailedRecord[]): string[] {
  return records.map(({ topic, partition, offset }) =>
    [...(topic ? [topic] : []), partition, offset].join('/'),
  )
}

/** Waits for a condition without a timer, which may be a faked one. The test's own time-out is the bound. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turn()
}

export interface Timers {
  /** How many of this length have been set ... */
  begun: (ms: number) => number
  /** ... and not cleared. */
  pending: (ms: number) => number
}

/** Watches the timers that are set, on a faked clock too. Begin after faking it, restore before. */
export function watchTimers(): Timers {
  const set = vi.spyOn(globalThis, 'setTimeout')
  const cleared = vi.spyOn(globalThis, 'clearTimeout')
  const isCleared = (timer: unknown) => cleared.mock.calls.some(([one]) => one === timer)
  const timersOf = (ms: number) => set.mock.results.filter((_, k) => set.mock.calls[k]?.[1] === ms)
  return {
    begun: (ms) => timersOf(ms).length,
    pending: (ms) => timersOf(ms).filter(({ value }) => !isCleared(value)).length,
  }
}

/** Something that a test waits for. */
export function signpost(): { reached: Promise<void>; reach: () => void } {
  let reach!: () => void
  const reached = new Promise<void>((resolve) => (reach = resolve))
  return { reached, reach }
}
