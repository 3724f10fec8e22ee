import type { FastifyReply } from 'fastify'

/** Aborted when the caller hangs up, so that nobody waits for records on their behalf. */
export function abandoned(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  // On the response, which closes with each answer; listeners on the socket would pile up.
  reply.raw.once('close', () => {
    controller.abort()
  })
  return controller.signal
}
