import type { TailControl, TailedRecord } from '../../src/contract/tails.ts'

/** What a tail says, and how each form writes it. */

export const FORMS = ['ndjson', 'sse', 'websocket'] as const
export type Form = (typeof FORMS)[number]

export interface Batch {
  type: 'records'
  records: TailedRecord[]
  position: string
}
export type Message = TailControl | Batch

export function record(partition: number, offset: number, topic?: string): TailedRecord {
  const value = `${String(partition)}/${String(offset)} 📦 "\\ é`
  return { ...(topic ? { topic } : {}), partition, offset, timestamp: 1795252974170, value }
}

/** Records of one partition, from one offset to before another. */
export function records(
  from: number,
  to: number,
  { partition = 0, topic }: { partition?: number; topic?: string } = {},
): TailedRecord[] {
  return Array.from({ length: to - from }, (_, k) => record(partition, from + k, topic))
}

export function batch(position: string, ...of: TailedRecord[]): Batch {
  return { type: 'records', records: of, position }
}

export const begin = (position: string, until?: string): TailControl => ({
  type: 'begin',
  position,
  ...(until === undefined ? {} : { until }),
})
export const upToDate = (position: string): TailControl => ({ type: 'up_to_date', position })
export const heartbeat = (position: string): TailControl => ({ type: 'heartbeat', position })
export const draining = (position: string): TailControl => ({ type: 'draining', position })
export const end = (
  position: string,
  reason: 'max_records' | 'until' | 'topic_deleted' | 'truncated' = 'until',
): TailControl => ({ type: 'end', reason, position })

/** The problem with which a tail ends; also, but for its type, as an HTTP answer. */
export function problem(code: string, status: number, retriable: boolean, position = '0:0') {
  const texts = { title: `The ${code}`, detail: `What ${code} is.`, hint: 'Do something.' }
  return { type: 'problem' as const, code, status, ...texts, retriable, position }
}

const ENCODERS: Record<Form, (message: Message) => string[]> = {
  ndjson: (message) => {
    const lines = message.type === 'records' ? message.records : [message]
    return lines.map((line) => `${JSON.stringify(line)}\n`)
  },
  sse: (message) =>
    message.type === 'records'
      ? message.records.map((_, k) => recordEvent(message, k))
      : [controlEvent(message)],
  websocket: (message) => [JSON.stringify(message)],
}

/** Lines, events or messages. */
export function encode(form: Form, message: Message): string[] {
  return ENCODERS[form](message)
}

function controlEvent(message: TailControl): string {
  return `event: ${message.type}\nid: ${message.position}\ndata: ${JSON.stringify(message)}\n\n`
}

/** The position of a batch is behind its last record; those before it differ in one offset. */
function recordEvent({ records, position }: Batch, k: number): string {
  const one = records[k]!
  const place = `${one.topic ? `${one.topic}/` : ''}${String(one.partition)}:`
  const here = position
    .split(',')
    .map((entry) => (entry.startsWith(place) ? place + String(one.offset + 1) : entry))
    .join(',')
  const id = k === records.length - 1 ? position : here
  return `id: ${id}\ndata: ${JSON.stringify(one)}\n\n`
}
