import type { PageWriter, TailEvent, TailSource } from '../../broker/tail.ts'
import { LIMITS } from '../../contract/limits.ts'
import type { TailControl } from '../../contract/tails.ts'
import { pageBytes } from '../../records/page.ts'
import { hasKey, writeTailPage, type TailStyle } from '../../records/tail-page.ts'

/** How one form of a tail puts records and control messages into text. */
export interface TailForm {
  content_type: string
  /** Sent before anything else. */
  opening: string
  /** Begins and ends a page of records; separators between them are part of the style. */
  style: (source: TailSource, prefix: string) => TailStyle
  records: (event: Extract<TailEvent, { type: 'records' }>) => Buffer
  /** Undefined where this form keeps the message to itself. */
  control: (message: TailControl) => string | undefined
  heartbeat: (position: string) => string
}

export interface TailFilter {
  names_topics: boolean
  key: string | undefined
}

/** Writes pages in a form, of the records that are wanted. */
export function pageWriter(form: TailForm, { names_topics, key }: TailFilter): PageWriter {
  const wants = key === undefined ? undefined : hasKey(key)
  return (source) => {
    const topic = names_topics ? `"topic":"${source.topic}",` : ''
    const prefix = `{${topic}"partition":${String(source.partition)},"offset":`
    const { max_records, end } = source
    const bounds = { max_records, max_bytes: LIMITS.tail_page_bytes, end, wants }
    return writeTailPage(source.batches, source.offset, bounds, form.style(source, prefix))
  }
}

export const NDJSON_TAIL: TailForm = {
  content_type: 'application/x-ndjson; charset=utf-8',
  opening: '',
  style: (_source, prefix) => ({ before: prefix, after: () => '\n' }),
  records: ({ page }) => pageBytes(page),
  control: (message) => `${JSON.stringify(message)}\n`,
  heartbeat: (position) => `${JSON.stringify({ type: 'heartbeat', position })}\n`,
}

/** What people and pipes get at the short door: records, and why there are no more. An empty line keeps alive. */
export const QUIET_TAIL: TailForm = {
  ...NDJSON_TAIL,
  control: (message) => (QUIET.has(message.type) ? undefined : NDJSON_TAIL.control(message)),
  heartbeat: () => '\n',
}
const QUIET = new Set<TailControl['type']>(['begin', 'up_to_date', 'end'])

/** Server-sent events (WHATWG HTML, 9.2). The id of each is the position behind it. */
export const SSE_TAIL: TailForm = {
  content_type: 'text/event-stream; charset=utf-8',
  opening: 'retry: 1000\n\n',
  style: ({ position }, prefix) => ({
    before: `data: ${prefix}`,
    after: (nextOffset) => `\nid: ${position(nextOffset)}\n\n`,
    without_returns: true,
  }),
  records: ({ page }) => pageBytes(page),
  control: (message) =>
    `event: ${message.type}\ndata: ${JSON.stringify(message)}\nid: ${message.position}\n\n`,
  heartbeat: (position) =>
    `event: heartbeat\ndata: ${JSON.stringify({ type: 'heartbeat', position })}\nid: ${position}\n\n`,
}

/** One message of a WebSocket: some records of one partition. */
export const WEBSOCKET_TAIL: TailForm = {
  content_type: '',
  opening: '',
  style: (_source, prefix) => ({ before: prefix, after: () => ',' }),
  records: ({ page, position }) => {
    const text = page.text.slice(0, -1)
    const trimmed = { ...page, text, byte_length: page.byte_length - 1 }
    return pageBytes(trimmed, '{"type":"records","records":[', `],"position":"${position}"}`)
  },
  control: (message) => JSON.stringify(message),
  heartbeat: (position) => JSON.stringify({ type: 'heartbeat', position }),
}
