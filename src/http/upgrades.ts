import { EventEmitter } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import websocket, { type WebsocketPluginOptions } from '@fastify/websocket'
import type { FastifyInstance } from 'fastify'
import { LIMITS } from '../contract/limits.ts'
import { ProblemError } from '../contract/problem-error.ts'

/** Frames and pieces of one message that a client may keep us waiting with. */
const FRAGMENTS = 64
const CHUNKS = 1024
const GOODBYE_MS = 5_000

/** Takes upgrades to WebSocket, on routes that have one. */
export async function takeWebSockets(app: FastifyInstance): Promise<void> {
  await app.register(websocket, {
    options: {
      server: webSocketsOf(app.server) as unknown as Server,
      maxPayload: LIMITS.command_bytes,
      maxFragments: FRAGMENTS,
      maxBufferedChunks: CHUNKS,
      closeTimeout: GOODBYE_MS,
      autoPong: false,
      // It would cost 300 KB a connection, and CPU where we have least.
      perMessageDeflate: false,
    } as NonNullable<WebsocketPluginOptions['options']>,
    // A frame that cannot be read: ws has sent the close code that says why, and closes.
    errorHandler: () => undefined,
    // The tails say farewell themselves, each with its position.
    preClose: (done) => done(),
  })
  app.addHook('onRequest', (request, _reply, done) => {
    if (!request.ws || request.routeOptions.config.websocket || request.is404) done()
    else {
      done(new ProblemError('invalid_request', 'This path cannot be upgraded to a WebSocket.'))
    }
  })
}

/**
 * Where there is a listener, Node hands over every request with an Upgrade header, also those that only
 * offer HTTP/2 (`curl --http2`, Java's HttpClient) and want an ordinary answer. Those are read again.
 */
function webSocketsOf(server: Server): EventEmitter {
  const webSockets = new EventEmitter()
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const isWebSocket = request.headers.upgrade?.toLowerCase() === 'websocket'
    whenAnswered(socket, () => {
      if (isWebSocket) webSockets.emit('upgrade', request, socket, head)
      else readAgain(server, request, socket, head)
    })
  })
  return webSockets
}

/**
 * Requests before it on the connection may still be being answered. Who takes the connection over would not
 * know of them, and their answers are not told of it either: it waits for its turn.
 */
function whenAnswered(socket: Socket, then: () => void): void {
  const { _httpMessage: answer } = socket as Socket & { _httpMessage?: ServerResponse | null }
  if (!answer) {
    then()
    return
  }
  // Node listens no more, and a connection that is lost meanwhile would end the process.
  socket.on('error', () => socket.destroy())
  answer.once('close', () => {
    if (socket.writable) whenAnswered(socket, then)
  })
}

const NOT_AGAIN = new Set(['upgrade', 'http2-settings'])

function readAgain(server: Server, request: IncomingMessage, socket: Socket, head: Buffer): void {
  const { method = '', url = '', httpVersion, rawHeaders } = request
  const lines = [`${method} ${url} HTTP/${httpVersion}`]
  for (let k = 0; k < rawHeaders.length; k += 2) {
    const [name = '', value = ''] = rawHeaders.slice(k, k + 2)
    if (name.toLowerCase() === 'connection') lines.push(`${name}: ${connectionOptions(value)}`)
    else if (!NOT_AGAIN.has(name.toLowerCase())) lines.push(`${name}: ${value}`)
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]))
  server.emit('connection', socket)
}

/** What a Connection header says beside the upgrade, such as `close`. */
function connectionOptions(value: string): string {
  const options = value.split(',').filter((option) => !NOT_AGAIN.has(option.trim().toLowerCase()))
  return options.join(',')
}
