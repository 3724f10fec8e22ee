import type { Server } from 'node:http'
import { Server as NetServer, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
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
 * For how long a port that is to be closed goes on taking those who wait, while there are always more of them: who has
 * waited for longer than this has given up by himself. All others are served meanwhile.
 */
const QUEUE_MS = 5_000
/** The first may be the rest of the one in which it began, where the port has had its turn. */
const QUIET_TURNS = 2

/**
 * Closes the port, then what is idle: the other way round, as Node's own close does it, those who find their connection
 * closed come again while they still can, and are cut off a second time. Senders of logs have three tries, and a
 * restart shall take one of them at most.
 *
 * @param isMeant asked when it is time; the port stays open if it says no
 */
export async function closePort({ server }: FastifyInstance, isMeant = () => true): Promise<void> {
  await takeQueue(server)
  if (!isMeant()) return
  NetServer.prototype.close.call(server)
  server.closeIdleConnections()
}

/**
 * Takes those who stand in the queue of the port, and may have sent their request already: with the port, they would be
 * cut off. Node takes one in a turn of the event loop; in a server that was busy, 80 of 120 were found waiting.
 */
async function takeQueue(server: Server): Promise<void> {
  let quiet = 0
  const taken = () => (quiet = 0)
  server.on('connection', taken)
  const late = performance.now() + QUEUE_MS
  while (quiet++ < QUIET_TURNS && performance.now() < late) await turn()
  server.off('connection', taken)
}

/**
 * Stops listening and resolves when every request has been answered. Connections are kept alive for longer
 * than anyone would wait, so those that fall idle meanwhile are closed as they do.
 */
export async function closeApp(app: FastifyInstance): Promise<void> {
  const sweep = () => {
    app.server.closeIdleConnections()
    for (const socket of connections.get(app.server) ?? [])
      if (socket.bytesRead === 0) socket.destroy()
  }
  // Behind the turn's reading: what has arrived in a timer's turn is not read before the timer runs.
  const timer = setInterval(() => setImmediate(sweep), IDLE_CHECK_MS)
  try {
    await app.close()
  } finally {
    clearInterval(timer)
  }
}
