import type { FastifyRequest } from 'fastify'

/** `https://host` under which this server was called: as configured, else as the request and its proxy say. */
export function publicUrl(request: FastifyRequest, configured: string | undefined): string {
  if (configured !== undefined) return configured
  const { host = 'localhost', 'x-forwarded-proto': forwarded } = request.headers
  const [scheme = 'http'] = (typeof forwarded === 'string' ? forwarded : 'http').split(',')
  return `${scheme.trim() === 'https' ? 'https' : 'http'}://${host}`
}
