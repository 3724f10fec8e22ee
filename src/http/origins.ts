import cors from '@fastify/cors'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ProblemError } from '../contract/problem-error.ts'

/** All that our routes take; by itself the plugin would leave out those that change and delete. */
const METHODS = ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE']

/** Headers of ours that a page may read. */
const EXPOSED = [
  'Idempotency-Replayed',
  'Link',
  'Retry-After',
  'Tailrace-High-Watermark',
  'Tailrace-Log-Start-Offset',
  'Tailrace-Next-Offset',
  'Tailrace-Topic-Created',
]

/** Names of this machine; a page served from it is its user's own. */
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * Which web pages may use the server from a browser: its own, those of this machine, and those the operator
 * names. A WebSocket is not held back by CORS, so its Origin is checked here; callers that are no browsers
 * send none.
 */
export async function allowOrigins(
  app: FastifyInstance,
  allowed: readonly string[],
): Promise<void> {
  const isAllowed = (origin: string, host: string | undefined) => {
    if (allowed.includes('*') || allowed.includes(origin)) return true
    if (!URL.canParse(origin)) return false
    const url = new URL(origin)
    return LOOPBACK.has(url.hostname) || url.host === host
  }
  await app.register(cors, {
    delegator: (request: FastifyRequest, callback) => {
      const { origin, host } = request.headers
      const isKnown = origin !== undefined && isAllowed(origin, host)
      callback(null, {
        origin: isKnown,
        methods: METHODS,
        exposedHeaders: EXPOSED,
        strictPreflight: false,
      })
    },
  })
  app.addHook('onRequest', (request, _reply, done) => {
    const { origin, host } = request.headers
    if (!request.ws || origin === undefined || isAllowed(origin, host)) done()
    else {
      done(new ProblemError('origin_not_allowed', `${origin} is not an origin known here.`))
    }
  })
}
