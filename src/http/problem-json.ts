import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { Problem } from '../contract/openapi.ts'
import { ProblemError } from '../contract/problem-error.ts'
import { PROBLEMS, type ProblemCode, type Written } from '../contract/problems.ts'
import { ROUTES } from '../contract/routes.ts'
import type { TailControl } from '../contract/tails.ts'
import { logFailure } from './failure-log.ts'

/** The only place where an error becomes an answer. */

const BY_FASTIFY_CODE: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'request_too_large',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid_request',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_BAD_URL: 'invalid_request',
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Its body is taken as it was sent, up to this size. */
    keeps_encoding?: { max_bytes: number } | undefined
    /** Failures of this route say whether anything was written. */
    writes?: boolean
    /** May be upgraded to a WebSocket. */
    websocket?: boolean
  }
}

/** Any failure as an entry of the alphabet; what is not foreseen is internal_error, without its detail. */
export function asProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error
  const { code, statusCode, message } = error as Partial<FastifyError>
  const known = code === undefined ? undefined : BY_FASTIFY_CODE[code]
  if (known)
    return new ProblemError(known, `${message ?? 'The request was refused'}.`, { cause: error })
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new ProblemError('invalid_request', message ?? 'The request was refused.', {
      cause: error,
    })
  }
  return new ProblemError('internal_error', 'The server failed; its log says why.', {
    cause: error,
  })
}

function writtenOf(problem: ProblemError): Written {
  return problem.details.written ?? (problem.code === 'internal_error' ? 'unknown' : 'no')
}

function problemBody(problem: ProblemError, instance: string, writes: boolean): Problem {
  const kind = PROBLEMS[problem.code]
  const { errors, hint, members } = problem.details
  return {
    type: `/problems/${problem.code}`,
    title: kind.title,
    status: kind.status,
    detail: problem.message,
    instance,
    code: problem.code,
    retriable: kind.retriable,
    hint: hint ?? kind.hint,
    ...(writes ? { written: writtenOf(problem) } : {}),
    ...(errors ? { errors: [...errors] } : {}),
    ...members,
  }
}

/** The last message of a tail that cannot go on: a problem object, and where to go on from. */
export function problemMessage(
  problem: ProblemError,
  instance: string,
  position: string,
): TailControl {
  const body = problemBody(problem, instance, false)
  return { ...body, type: 'problem', position }
}

/** A problem object as a message of a WebSocket. */
export function problemText(
  problem: ProblemError,
  instance: string,
  type: 'problem' | 'refused',
): string {
  return JSON.stringify({ ...problemBody(problem, instance, true), type })
}

export async function sendProblem(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const problem = asProblem(error)
  if (problem.status >= 500) logFailure(request.log, problem, request.id)
  const writes =
    request.routeOptions.config.writes ?? !['GET', 'HEAD', 'OPTIONS'].includes(request.method)
  const { retry_after_s } = problem.details
  if (retry_after_s !== undefined) reply.header('retry-after', String(retry_after_s))
  await reply
    .code(problem.status)
    .type('application/problem+json')
    .send(JSON.stringify(problemBody(problem, request.id, writes)))
}

/** What people read, in routes/pages.ts; not part of the contract. */
const PAGES = ['/', '/asyncapi.json', '/docs', '/openapi.json', '/problems/{code}'].map((path) => ({
  method: 'GET',
  path,
}))

const PATHS = [...ROUTES, ...PAGES].map((route) => ({
  method: route.method,
  pattern: new RegExp(`^${route.path.replaceAll(/\{\w+\}/g, '[^/]+')}/?$`),
}))

/** No route: 405 where the path exists under other methods, else 404. */
export async function sendNotFound(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const path = request.url.split('?', 1)[0] ?? ''
  const methods = PATHS.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method)
  if (methods.length === 0) {
    return sendProblem(
      new ProblemError('not_found', `There is nothing at ${path}.`),
      request,
      reply,
    )
  }
  const allowed = [...new Set(methods)].join(', ')
  reply.header('allow', allowed)
  const detail = `${path} takes ${allowed}, not ${request.method}.`
  return sendProblem(new ProblemError('method_not_allowed', detail), request, reply)
}

const BY_PARSER_CODE: Readonly<Record<string, ProblemCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
  HPE_HEADER_OVERFLOW: 'request_header_fields_too_large',
}

/** The answer to bytes that are not even HTTP, as they go onto the socket. */
export function malformedAnswer(error: { code?: string }): string {
  const code = BY_PARSER_CODE[error.code ?? ''] ?? 'invalid_request'
  const problem = new ProblemError(
    code,
    `The request could not be read as HTTP (${error.code ?? 'unknown'}).`,
  )
  const body = JSON.stringify(problemBody(problem, '', true))
  const { status, title } = PROBLEMS[code]
  return [
    `HTTP/1.1 ${String(status)} ${title}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${String(Buffer.byteLength(body))}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n')
}
