import { connect, type Socket } from 'node:net'
import type { Answer } from './answers.ts'

/**
 * Sends bytes as they are, on a socket of their own, and reads the answer until the server closes. For what
 * HTTP clients refuse to send or repair on the way: paths with dots in them, broken framing, garbage.
 */
export async function sendRaw(
  url: string,
  ...chunks: readonly (string | Uint8Array)[]
): Promise<Answer> {
  return parse(await exchange(url, chunks, () => undefined))
}

/** Sends bytes and says that no more will come, in the middle of a request. */
export async function sendCutOff(url: string, bytes: string): Promise<Answer> {
  return parse(await exchange(url, [bytes], (socket) => void socket.end()))
}

/** All that the server says to these bytes, until it closes. */
export function converse(url: string, ...chunks: readonly string[]): Promise<string> {
  return exchange(url, chunks, () => undefined)
}

async function exchange(
  url: string,
  chunks: readonly (string | Uint8Array)[],
  afterwards: (socket: Socket) => void,
): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const received: Buffer[] = []
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => received.push(chunk))
    // A server that has answered may close while we still write; what it said counts.
    socket.on('error', () => undefined)
    socket.on('close', () => resolve())
    for (const chunk of chunks) socket.write(chunk)
    afterwards(socket)
  })
  return Buffer.concat(received).toString()
}

/** A request without surprises but for its path, which goes out as it is. */
export function sendPath(url: string, path: string, method = 'GET', body = ''): Promise<Answer> {
  const head = [
    `${method} ${path} HTTP/1.1`,
    'Host: localhost',
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${String(Buffer.byteLength(body))}`,
  ]
  return sendRaw(url, `${head.join('\r\n')}\r\n\r\n${body}`)
}

function parse(text: string): Answer {
  const end = text.indexOf('\r\n\r\n')
  const [statusLine = '', ...fields] = text.slice(0, end).split('\r\n')
  const headers = Object.fromEntries(
    fields.map((field) => {
      const colon = field.indexOf(':')
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()]
    }),
  )
  return { status: Number(statusLine.split(' ')[1]), headers, text: text.slice(end + 4) }
}
