import type { FastifyReply } from 'fastify'
import type { PageQuery } from '../contract/paging.ts'

/** Path of the page that begins after a name, said in the `Link` header, too; null where there is none. */
export function nextPage(
  reply: FastifyReply,
  path: string,
  { limit, prefix }: PageQuery,
  after: string | undefined,
): string | null {
  if (after === undefined) return null
  const query = new URLSearchParams({ limit: String(limit), after })
  if (prefix !== undefined) query.set('prefix', prefix)
  const next = `${path}?${query.toString()}`
  reply.header('link', `<${next}>; rel="next"`)
  return next
}
