import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'

/** Begins an answer that goes on until somebody ends it; from here on it is the caller's. */
export function openStream(reply: FastifyReply, contentType: string): ServerResponse {
  reply.hijack()
  reply.raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': contentType,
    'cache-control': 'no-cache, no-transform',
    // nginx would keep the stream to itself.
    'x-accel-buffering': 'no',
  })
  return reply.raw
}
