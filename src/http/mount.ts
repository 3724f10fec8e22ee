import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { WebSocket } from '@fastify/websocket'
import { z } from 'zod'
import { invalidField, pointerTo, ProblemError } from '../contract/problem-error.ts'
import type { FieldError } from '../contract/problems.ts'
import type { BodyOf, ParamsOf, QueryOf, ResponseOf, Route } from '../contract/route.ts'
import { bodyOf, forgetOddType, mediaTypeOf } from './read-body.ts'

export interface Call<R extends Route> {
  params: ParamsOf<R>
  query: QueryOf<R>
  body: BodyOf<R>
  request: FastifyRequest
  reply: FastifyReply
}

/**
 * A handler that has sent its answer itself returns this. Not the reply: that is a thenable, and awaiting
 * it would wait until the caller has read everything.
 */
export const SENT = Symbol('sent')

type Handler<R extends Route> = (call: Call<R>) => Promise<ResponseOf<R> | typeof SENT>

/** Takes a WebSocket at once; `read` gives what the request says, or throws what is wrong with it. */
type SocketHandler<R extends Route> = (
  socket: WebSocket,
  request: FastifyRequest,
  read: () => Omit<Call<R>, 'reply'>,
) => void

/** Makes a contract route a Fastify route: validates what comes in by its schemas, sends what comes out. */
export function mount<R extends Route>(
  app: FastifyInstance,
  route: R,
  handler: Handler<R>,
  socketHandler?: SocketHandler<R>,
): void {
  const readParams = reader(route.params, 'path')
  const readQuery = reader(route.query, 'query')
  const read = (request: FastifyRequest) => ({
    params: readParams(request.params) as ParamsOf<R>,
    query: readQuery(queryOf(request)) as QueryOf<R>,
    body: (route.body ? readJson(route.body, request) : undefined) as BodyOf<R>,
    request,
  })
  app.route({
    method: route.method,
    url: route.path.replaceAll(/\{(\w+)\}/g, ':$1'),
    config: {
      writes: route.writes,
      websocket: socketHandler !== undefined,
      keeps_encoding: route.keeps_encoding,
    },
    ...(route.keeps_encoding && { onRequest: forgetOddType }),
    // A tail has no end that a HEAD could wait for, and a poll hands out records.
    exposeHeadRoute: !route.streams && !route.writes,
    ...(socketHandler && {
      wsHandler: (socket: WebSocket, request: FastifyRequest) => {
        socketHandler(socket, request, () => read(request))
      },
    }),
    // Not async: a promise less a request, and nothing for Fastify to await.
    handler: (request, reply) => {
      try {
        handler({ ...read(request), reply }).then(
          (result) => {
            if (result !== SENT) sendResult(reply, route, result)
          },
          (error: unknown) => reply.send(error),
        )
      } catch (error) {
        reply.send(error)
      }
    },
  })
}

/** The query; refused where its percent-encoding is not UTF-8, which the parser would bend into U+FFFD. */
function queryOf(request: FastifyRequest): unknown {
  const { url } = request
  if (!url.includes('%')) return request.query
  for (const pair of url.slice(url.indexOf('?') + 1).split('&')) {
    const [name = '', value = ''] = pair.split('=', 2)
    if (isDecodable(name) && isDecodable(value)) continue
    const pointer = isDecodable(name) ? pointerTo(decodeURIComponent(name)) : ''
    throw invalidField('query', pointer, 'is not percent-encoded UTF-8')
  }
  return request.query
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

function sendResult(reply: FastifyReply, route: Route, result: unknown): void {
  reply.code(route.status)
  if (route.status === 204) reply.send()
  else reply.type('application/json').send(JSON.stringify(result))
}

/** Checks values that arrive as text. Those of number members are read as whole numbers first, strictly. */
function reader(schema: z.ZodType, where: 'path' | 'query'): (values: unknown) => unknown {
  const shape = schema instanceof z.ZodObject ? (schema.shape as Record<string, z.ZodType>) : {}
  const numbers = Object.keys(shape).filter((name) => isNumber(shape[name]))
  const takesNothing = Object.keys(shape).length === 0
  return (values) => {
    // Most calls have no query; nothing need be checked then.
    if (takesNothing && Object.keys(values as object).length === 0) return {}
    const given: Record<string, unknown> = { ...(values as Record<string, unknown>) }
    for (const name of numbers) {
      const value = given[name]
      if (typeof value === 'string' && /^-?\d{1,16}$/.test(value)) given[name] = Number(value)
    }
    return check(schema, given, where)
  }
}

function isNumber(schema: z.ZodType | undefined): boolean {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) {
    return isNumber(schema.unwrap() as z.ZodType)
  }
  return schema instanceof z.ZodNumber
}

function readJson(schema: z.ZodType, request: FastifyRequest): unknown {
  const mediaType = mediaTypeOf(request)
  if (mediaType !== 'application/json' && !mediaType.endsWith('+json')) {
    const sent = mediaType || 'no Content-Type'
    throw new ProblemError(
      'unsupported_media_type',
      `This path takes application/json, not ${sent}.`,
      {
        errors: [{ in: 'header', pointer: '/content-type', detail: 'must be application/json' }],
        hint: "With curl, add -H 'content-type: application/json'.",
      },
    )
  }
  return check(schema, parseJson(bodyOf(request)), 'body')
}

function parseJson(body: Buffer): unknown {
  try {
    if (!isUtf8(body)) throw new SyntaxError('the bytes are not UTF-8')
    return JSON.parse(body.toString()) as unknown
  } catch (error) {
    const detail = `is not JSON: ${(error as Error).message}`
    throw new ProblemError('invalid_request', `The body ${detail}.`, {
      errors: [{ in: 'body', pointer: '', detail }],
    })
  }
}

function check(schema: z.ZodType, value: unknown, where: FieldError['in']): unknown {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const errors = parsed.error.issues.map((issue) => ({ in: where, ...placed(issue) }))
  const [first] = errors
  const place = `${where} ${first?.pointer ?? ''}`.trim()
  throw new ProblemError('invalid_request', `${place}: ${first?.detail ?? 'is not valid'}`, {
    errors,
  })
}

/** Where an issue is (RFC 6901) and what it says. An unknown member is named itself, not its parent. */
function placed(outer: z.core.$ZodIssue): { pointer: string; detail: string } {
  const issue = insideOf(outer)
  const path = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    return { pointer: pointerTo(...path, issue.keys[0] ?? ''), detail: 'is not known here' }
  }
  return { pointer: pointerTo(...path), detail: issue.message }
}

/** Of several forms none of which fits: what is wrong with the one that fits best. */
function insideOf(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue
  const [nearest] = issue.errors
    .filter(([first]) => first && first.path.length > 0)
    .sort((a, b) => a.length - b.length)
  const [first] = nearest ?? []
  if (!first) return issue
  const inner = insideOf(first)
  return { ...inner, path: [...issue.path, ...inner.path] }
}
