import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'

/** A tail on a bare socket, of which nothing is read unless somebody does; for what a client may do wrong. */

export const RAW_FORMS = ['ndjson', 'sse', 'websocket'] as const
export type RawForm = (typeof RAW_FORMS)[number]

const HEADERS: Record<RawForm, () => string[]> = {
  ndjson: () => ['Accept: application/x-ndjson'],
  sse: () => ['Accept: text/event-stream'],
  websocket: () => [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
  ],
}

/** The request of a tail, as bytes on the wire. */
function tailRequest(form: RawForm, path: string): string {
  return `${[`GET ${path} HTTP/1.1`, 'Host: localhost', ...HEADERS[form]()].join('\r\n')}\r\n\r\n`
}

/** Connects and asks; the socket is paused, so that what the server sends stays in the system. */
export function openRawTail(url: string, form: RawForm, path: string): Socket {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  // Before it is connected: Node would begin to read at once.
  socket.pause()
  socket.on('error', () => undefined)
  socket.write(tailRequest(form, path))
  return socket
}
