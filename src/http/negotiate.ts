import type { FastifyRequest } from 'fastify'
import { ProblemError } from '../contract/problem-error.ts'

const JSON_TYPE = 'application/json'
const NDJSON_TYPES = ['application/x-ndjson', 'application/jsonl', 'application/ndjson']
const EVENTS_TYPE = 'text/event-stream'
const BYTES_TYPE = 'application/octet-stream'

const TAIL_LINES = [...NDJSON_TYPES, 'text/plain']

function best(request: FastifyRequest, offered: readonly string[]): string {
  const { accept } = request.headers
  // The common case costs no parsing.
  const first = offered[0] ?? JSON_TYPE
  if (accept === undefined || accept === '*/*' || accept === first) return first
  // Parameters other than q, such as our own charset, say nothing here.
  request.raw.headers.accept = accept.replaceAll(/;\s*(?!q\s*=)[^;,]*/gi, '')
  const chosen = request.accepts().type([...offered])
  if (typeof chosen === 'string') return chosen
  throw new ProblemError(
    'not_acceptable',
    `The answer can be ${offered.join(', ')}; Accept was ${accept}.`,
  )
}

/** The form of a page: NDJSON only where asked for by name. */
export function wantsNdjson(request: FastifyRequest): boolean {
  return best(request, [JSON_TYPE, ...NDJSON_TYPES]) !== JSON_TYPE
}

/** Is a record's value wanted as it is, rather than the record? */
export function wantsBytes(request: FastifyRequest): boolean {
  return best(request, [JSON_TYPE, BYTES_TYPE]) === BYTES_TYPE
}

/** The form of a tail: NDJSON unless server-sent events are asked for. */
export function wantsEvents(request: FastifyRequest): boolean {
  return best(request, [...TAIL_LINES, EVENTS_TYPE]) === EVENTS_TYPE
}

/** The form of metrics: JSON unless a stream, or Prometheus' text, is asked for. */
export function metricsForm(request: FastifyRequest): 'json' | 'events' | 'prometheus' {
  const type = best(request, [JSON_TYPE, EVENTS_TYPE, 'text/plain'])
  if (type === JSON_TYPE) return 'json'
  return type === EVENTS_TYPE ? 'events' : 'prometheus'
}

/** The short door answers with NDJSON alone; browsers and curl accept anything. */
export function requireNdjson(request: FastifyRequest): void {
  best(request, TAIL_LINES)
}
