import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** The open connections of each server. */
const connections = new WeakMap<Server, Set<Socket>>()

/**
 * Browsers and HTTP clients open connections ahead of need. To Node one that has not sent anything is not
 * idle but about to send a request, so it would hold up a stop until the time-out for headers: 60 s.
 */
export function watchConnections(app: FastifyInstance): void {
  const sockets = new Set<Socket>()
  connections.set(app.server, sockets)
  app.server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
}

/** How often a stopping server looks for connections that have fallen idle. */
const IDLE_CHECK_MS = 20

/**
 * Stops listening and resolves when every request has been answered. Connections are kept alive for longer
 * than anyone would wait, so those that fall idle meanwhile are closed as they do.
 */
export async function closeApp(app: FastifyInstance): Promise<void> {
  const timer = setInterval(() => {
    app.server.closeIdleConnections()
    for (const socket of connections.get(app.server) ?? [])
      if (socket.bytesRead === 0) socket.destroy()
  }, IDLE_CHECK_MS)
  try {
    await app.close()
  } finally {
    clearInterval(timer)
  }
}
