import type { FastifyInstance, FastifyReply } from 'fastify'
import { ProblemError } from '../contract/problem-error.ts'

/** All that our routes take. */
const METHODS = 'GET, HEAD, POST, PATCH, DELETE'

/** Headers of ours that a page may read. */
const EXPOSED = [
  'Idempotency-Replayed',
  'Link',
  'Retry-After',
  'Tailrace-High-Watermark',
  'Tailrace-Log-Start-Offset',
  'Tailrace-Next-Offset',
  'Tailrace-Topic-Created',
].join(', ')

/** Names of this machine; a page served from it is its user's own. */
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * Which web pages may use the server from a browser: its own, those of this machine, and those the operator
 * names. A WebSocket is not held back by CORS, so its Origin is checked here; callers that are no browsers
 * send none. Their requests pay for none of this: with `@fastify/cors`, which works on every request, the
 * server answered a third fewer of them.
 *
 * Source: the CORS protocol, https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export function allowOrigins(app: FastifyInstance, allowed: readonly string[]): void {
  const isAllowed = (origin: string, host: string | undefined) => {
    if (allowed.includes('*') || allowed.includes(origin)) return true
    if (!URL.canParse(origin)) return false
    const url = new URL(origin)
    return LOOPBACK.has(url.hostname) || url.host === host
  }
  app.addHook('onRequest', (request, reply, done) => {
    // Whoever keeps an answer must not give it to a page of another origin.
    reply.header('vary', 'Origin')
    const { origin, host } = request.headers
    if (origin === undefined) done()
    else if (!isAllowed(origin, host)) {
      done(
        request.ws
          ? new ProblemError('origin_not_allowed', `${origin} is not an origin known here.`)
          : undefined,
      )
    } else {
      allow(origin, reply)
      if (request.method !== 'OPTIONS') done()
      else answerPreflight(request.headers['access-control-request-headers'], reply)
    }
  })
}

function allow(origin: string, reply: FastifyReply): void {
  reply.header('access-control-allow-origin', origin)
  reply.header('access-control-expose-headers', EXPOSED)
}

/** Which headers a page sends is its own affair: we read few, and trust none for what they claim. */
function answerPreflight(headers: string | undefined, reply: FastifyReply): void {
  reply.header('access-control-allow-methods', METHODS)
  if (headers !== undefined) reply.header('access-control-allow-headers', headers)
  reply.header('vary', 'Origin, Access-Control-Request-Headers').code(204).send()
}
