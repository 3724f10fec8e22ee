import { on, once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import type { TailedRecord } from '../../src/contract/tails.ts'
import {
  eventsOf,
  linesOf,
  readMessage,
  readSocketMessage,
  type TailedText,
  type TailMessage,
} from './tail-texts.ts'

export const TAIL_FORMS = ['ndjson', 'sse', 'websocket'] as const
export type TailForm = (typeof TAIL_FORMS)[number]

/** A tail in any form, read message by message. Heartbeats are passed over: they come when they will. */
export class TailReader {
  /** What its request was answered with; undefined for a WebSocket. */
  readonly response: IncomingMessage | undefined
  /** How a WebSocket was closed. */
  closed: { code: number; reason: string } | undefined
  readonly #messages: AsyncIterator<TailMessage>
  readonly #socket: WebSocket | undefined
  readonly #hangUp: () => void

  constructor(
    messages: AsyncIterator<TailMessage>,
    source: { response?: IncomingMessage; socket?: WebSocket; hangUp: () => void },
  ) {
    this.#messages = messages
    this.response = source.response
    this.#socket = source.socket
    this.#hangUp = source.hangUp
    this.#socket?.on('close', (code, reason) => (this.closed = { code, reason: String(reason) }))
  }

  /** The next message; undefined where the connection has ended. */
  async read(): Promise<TailMessage | undefined> {
    for (;;) {
      const { value, done } = await this.#messages.next()
      if (done) return undefined
      if (value.type !== 'heartbeat') return value
    }
  }

  /** The next heartbeat; anything else that comes before it is passed over. */
  async heartbeat(): Promise<TailMessage> {
    for (;;) {
      const { value, done } = await this.#messages.next()
      if (done) throw new Error(`the tail is over: ${JSON.stringify(this.closed)}`)
      if (value.type === 'heartbeat') return value
    }
  }

  /** The next message, which must come. */
  async next(): Promise<TailMessage> {
    const message = await this.read()
    if (!message) throw new Error(`the tail is over: ${JSON.stringify(this.closed)}`)
    return message
  }

  /** All messages up to the first of this type. */
  async upTo(type: TailMessage['type']): Promise<TailMessage[]> {
    const messages: TailMessage[] = []
    do messages.push(await this.next())
    while (messages.at(-1)?.type !== type)
    return messages
  }

  /** All messages up to this many records. */
  async upToRecords(count: number): Promise<TailMessage[]> {
    const messages: TailMessage[] = []
    for (let left = count; left > 0; left -= messages.at(-1)?.type === 'record' ? 1 : 0) {
      messages.push(await this.next())
    }
    return messages
  }

  /** This many records, whatever is said between them. */
  async records(count: number): Promise<TailedRecord[]> {
    return recordsOf(await this.upToRecords(count))
  }

  /** All that comes until the server ends the connection. */
  async rest(): Promise<TailMessage[]> {
    const messages: TailMessage[] = []
    for (let one = await this.read(); one; one = await this.read()) messages.push(one)
    return messages
  }

  /** Says something on a WebSocket. */
  say(command: object): void {
    this.#socket?.send(JSON.stringify(command))
  }

  /** Resolves once the server has heard all that was said, which it takes in order. */
  async heard(): Promise<void> {
    if (!this.#socket) return
    const pong = once(this.#socket, 'pong')
    this.#socket.ping()
    await pong
  }

  close(): void {
    this.#hangUp()
  }
}

/** Opens a tail; it is closed with the test. */
export async function openTail(
  url: string,
  form: TailForm,
  path: string,
  headers: Record<string, string> = {},
): Promise<TailReader> {
  const open = form === 'websocket' ? openSocket : openText
  const reader = await open(url, form, path, headers)
  onTestFinished(() => reader.close())
  return reader
}

/** What asks for a form, beside the upgrade of a WebSocket. */
export const ACCEPT = { ndjson: '*/*', sse: 'text/event-stream', websocket: '*/*' } as const
const TYPE = { ndjson: 'application/x-ndjson', sse: 'text/event-stream', websocket: '' } as const

async function openText(
  url: string,
  form: TailForm,
  path: string,
  headers: Record<string, string>,
): Promise<TailReader> {
  // Not fetch, which opens connections that it then does not use, and a stopping server waits for those.
  const request = get(url + path, { agent: false, headers: { accept: ACCEPT[form], ...headers } })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  if (response.statusCode !== 200) throw new Error(await text(response))
  expect(response.headers['content-type']).toBe(`${TYPE[form]}; charset=utf-8`)
  const messages = form === 'sse' ? eventsOf(response) : messagesOf(response)
  return new TailReader(messages, { response, hangUp: () => request.destroy() })
}

/** NDJSON; an empty line only says that the connection lives. */
async function* messagesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<TailMessage> {
  for await (const line of linesOf(pieces, /\n/)) if (line !== '') yield readMessage(line)
}

/** A WebSocket that is open, with what comes on it from the first byte. */
async function openSocket(
  url: string,
  _form: TailForm,
  path: string,
  headers: Record<string, string>,
): Promise<TailReader> {
  const socket = new WebSocket(url.replace('http', 'ws') + path, { headers })
  const messages = socketMessages(on(socket, 'message', { close: ['close'] }))
  await once(socket, 'open')
  return new TailReader(messages, { socket, hangUp: () => socket.terminate() })
}

async function* socketMessages(events: AsyncIterable<unknown[]>): AsyncGenerator<TailMessage> {
  for await (const [data, isBinary] of events) {
    if (isBinary) throw new Error('a binary message')
    yield* readSocketMessage(String(data))
  }
}

function recordsOf(messages: readonly TailMessage[]): TailedRecord[] {
  return textsOf(messages).map(({ record }) => record)
}

export function textsOf(messages: readonly TailMessage[]): TailedText[] {
  return messages.filter((message) => message.type === 'record')
}

export function valuesOf(messages: readonly TailMessage[]): unknown[] {
  return recordsOf(messages).map(({ value }) => value)
}

/** Messages for the eye: a record as its place, anything else as its type. */
export function outline(messages: readonly TailMessage[]): string[] {
  return messages.map((message) =>
    message.type === 'record' ? place(message.record) : message.type,
  )
}

/** `partition:offset`, or `topic/partition:offset`. */
function place({ topic, partition, offset }: TailedRecord): string {
  return `${topic === undefined ? '' : `${topic}/`}${String(partition)}:${String(offset)}`
}
