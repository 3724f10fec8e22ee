import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import accepts from '@fastify/accepts'
import { fastify, LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Broker } from '../broker/broker.ts'
import { LIMITS } from '../contract/limits.ts'
import { malformedAnswer, sendNotFound, sendProblem } from './problem-json.ts'
import { allowOrigins } from './origins.ts'
import { takeWebSockets } from './upgrades.ts'
import { watchConnections } from './connections.ts'
import { readBodiesAsBytes } from './read-body.ts'
import { drainMetricsRoutes } from './routes/drain-metrics.ts'
import { drainRoutes } from './routes/drains.ts'
import { fetchRoutes } from './routes/fetch.ts'
import { groupRoutes } from './routes/groups.ts'
import { healthRoutes } from './routes/health.ts'
import { pageRoutes } from './routes/pages.ts'
import { produceRoutes } from './routes/produce.ts'
import { telemetryRoutes } from './routes/receive-telemetry.ts'
import { receiveRoutes } from './routes/receive.ts'
import { tailRoutes } from './routes/tails.ts'
import { topicRoutes } from './routes/topics.ts'

/**
 * Longer than the idle time-outs of who calls, or they would send into a closing connection: proxies wait for a minute,
 * Logplex for 144 to 159 s, and each time it would spend one of its three tries.
 */
const KEEP_ALIVE_MS = 175_000
/** A whole request must have arrived within this. */
const REQUEST_MS = 60_000

/** Request ids: unique in this process's log, and cheap. */
function requestIds(): () => string {
  const start = Date.now().toString(36)
  let count = 0
  return () => `${start}-${(++count).toString(36)}`
}

/**
 * Is a whole request of this connection still being answered? Garbage behind it must not be answered in its
 * place: "nothing was written" would be false.
 */
function awaitsAnswer(socket: Socket): boolean {
  const { _httpMessage } = socket as Socket & { _httpMessage?: { req: IncomingMessage } | null }
  return _httpMessage?.req.complete ?? false
}

/** The HTTP server, not yet listening. */
export async function createApp(
  broker: Broker,
  options: {
    log: FastifyBaseLogger
    version: string
    allowed_origins: readonly string[]
    public_url: string | undefined
  },
): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: options.log,
    logController: new LogController({ disableRequestLogging: true }),
    // No logger of its own for each request: making one costs as much as reading a small body.
    childLoggerFactory: (log) => log,
    genReqId: requestIds(),
    bodyLimit: LIMITS.body_bytes,
    // Node's 16 KiB, and as much again for the positions of tails.
    http: { maxHeaderSize: LIMITS.head_bytes },
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: REQUEST_MS,
    // What is in flight when the server stops is finished, not refused.
    return503OnClosing: false,
    routerOptions: {
      // Longer than any name, so that its own check can say what is wrong with it.
      maxParamLength: 16_384,
      ignoreTrailingSlash: true,
    },
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply),
    clientErrorHandler: (error, socket) => {
      if (socket.writable && !awaitsAnswer(socket)) socket.end(malformedAnswer(error))
      else socket.destroy()
    },
  })
  app.setErrorHandler(sendProblem)
  app.setNotFoundHandler(sendNotFound)
  watchConnections(app)
  readBodiesAsBytes(app)
  await app.register(accepts)
  await takeWebSockets(app)
  allowOrigins(app, options.allowed_origins)
  produceRoutes(app, broker)
  fetchRoutes(app, broker)
  tailRoutes(app, broker)
  topicRoutes(app, broker)
  groupRoutes(app, broker)
  drainRoutes(app, broker, options.public_url)
  drainMetricsRoutes(app, broker)
  receiveRoutes(app, broker)
  telemetryRoutes(app, broker)
  healthRoutes(app, broker)
  await pageRoutes(app, options.version)
  return app
}
