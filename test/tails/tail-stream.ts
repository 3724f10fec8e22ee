import { get, type IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'

/** The least that reads each form of a tail, apart from the product's own client. */

export type Form = 'ndjson' | 'sse' | 'websocket'

export interface Control {
  type: string
  position: string
  topic?: string
  partition?: number
  offset?: number
  log_start_offset?: number
  code?: string
  reason?: string
  until?: string
}

/** Records as they came: several of one partition with commas between, or one. */
export interface Records {
  topic: string | undefined
  partition: number
  offsets: number[]
  text: string
  /** Behind them, where the form says so. */
  position: string | undefined
}

export interface Listener {
  records: (records: Records) => void
  control: (message: Control) => void
  /** Once, when it is over. */
  closed: () => void
}

export interface TailStream {
  /** Ends it as a dying client would: nothing more is heard. */
  cut: () => void
  pause: () => void
  resume: () => void
}

/** `path` with its query; SSE may go on from `lastEventId`. */
export function openTail(
  form: Form,
  url: string,
  lastEventId: string | undefined,
  listener: Listener,
): TailStream {
  if (form === 'websocket') return openSocket(url, listener)
  const accept = form === 'sse' ? 'text/event-stream' : 'application/x-ndjson'
  const headers = { accept, ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }) }
  return openText(url, headers, form === 'sse' ? events(listener) : lines(listener), listener)
}

function openText(
  url: string,
  headers: Record<string, string>,
  take: (text: string) => void,
  { control, closed }: Listener,
): TailStream {
  let response: IncomingMessage | undefined
  const request = get(url, { agent: false, headers }, (answer) => {
    response = answer
    answer.setEncoding('utf8')
    // A refusal is one message, like the problem at the end of a tail.
    if (answer.statusCode === 200) answer.on('data', take)
    else answer.on('data', (text: string) => control(refusal(text)))
    answer.on('error', () => undefined)
    answer.on('close', closed)
  })
  request.on('error', () => {
    if (!response) closed()
  })
  return {
    cut: () => request.destroy(new Error('cut')),
    pause: () => response?.pause(),
    resume: () => response?.resume(),
  }
}

function refusal(text: string): Control {
  const { code } = JSON.parse(text) as { code: string }
  return { type: 'problem', code, position: '' }
}

/** A line is a record or, where it has a `type`, a control message; the last one may be cut off. */
function lines(listener: Listener): (text: string) => void {
  let rest = ''
  return (text) => {
    const found = (rest + text).split('\n')
    rest = found.pop() ?? ''
    for (const line of found) takeOne(line, undefined, listener)
  }
}

/** Events end with an empty line. */
function events(listener: Listener): (text: string) => void {
  let rest = ''
  return (text) => {
    const found = (rest + text).split('\n\n')
    rest = found.pop() ?? ''
    for (const event of found) {
      const fields = new Map(
        event.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]),
      )
      const data = fields.get('data')
      if (data !== undefined) takeOne(data, fields.get('id'), listener)
    }
  }
}

interface RecordPlace {
  topic?: string
  partition: number
  offset: number
}

function takeOne(text: string, position: string | undefined, { records, control }: Listener): void {
  const value = JSON.parse(text) as Control | RecordPlace
  if ('type' in value) control(value)
  else
    records({
      topic: value.topic,
      partition: value.partition,
      offsets: [value.offset],
      text,
      position,
    })
}

const HEAD = '{"type":"records","records":['.length

function openSocket(url: string, { records, control, closed }: Listener): TailStream {
  const socket = new WebSocket(url.replace('http', 'ws'), { perMessageDeflate: false })
  socket.on('message', (data: Buffer) => {
    const text = data.toString()
    const message = JSON.parse(text) as Control & { records?: RecordPlace[] }
    const [first] = message.records ?? []
    if (!message.records || !first) {
      control(message)
      return
    }
    records({
      topic: first.topic,
      partition: first.partition,
      offsets: message.records.map(({ offset }) => offset),
      text: text.slice(HEAD, text.lastIndexOf('],"position":')),
      position: message.position,
    })
  })
  socket.on('error', () => undefined)
  socket.on('close', closed)
  return {
    cut: () => socket.terminate(),
    pause: () => socket.readyState === socket.OPEN && socket.pause(),
    resume: () => socket.readyState === socket.OPEN && socket.resume(),
  }
}
