import { EventEmitter } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
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
    if (isWebSocket) webSockets.emit('upgrade', request, socket, head)
    else readAgain(server, request, socket, head)
  })
  return webSockets
}

const NOT_AGAIN = new Set(['upgrade', 'connection', 'http2-settings'])

function readAgain(server: Server, request: IncomingMessage, socket: Socket, head: Buffer): void {
  const { method = '', url = '', httpVersion, rawHeaders } = request
  const lines = [`${method} ${url} HTTP/${httpVersion}`]
  for (let k = 0; k < rawHeaders.length; k += 2) {
    const name = rawHeaders[k] ?? ''
    if (!NOT_AGAIN.has(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[k + 1] ?? ''}`)
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]))
  server.emit('connection', socket)
}
