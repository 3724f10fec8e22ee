import type { z } from 'zod'
import type { ProblemCode } from './problems.ts'

/** What a caller must be allowed to do. Every route names one; `public` needs nothing. */
export type Operation =
  | 'drain.create'
  | 'drain.delete'
  | 'drain.get'
  | 'drain.list'
  | 'drain.receive'
  | 'drain.rotate'
  | 'group.delete'
  | 'group.get'
  | 'group.list'
  | 'group.read'
  | 'group.reset'
  | 'public'
  | 'record.fetch'
  | 'record.produce'
  | 'topic.configure'
  | 'topic.create'
  | 'topic.delete'
  | 'topic.get'
  | 'topic.list'

export interface Route<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Response extends z.ZodType = z.ZodType,
> {
  /** Unique; the name of this call in documents, logs and clients. */
  operation_id: string
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** With `{name}` where a parameter stands. */
  path: string
  tag: string
  summary: string
  description?: string
  operation: Operation
  params: Params
  query: Query
  /** The JSON body; `undefined` where there is none. */
  body?: Body
  /** Takes the body as bytes and reads it itself: the forms it understands, for the document. */
  raw_body?: Readonly<Record<string, { schema: z.ZodType; example: unknown }>>
  /** Takes the body as it was sent, compressed or not, and inflates it itself. */
  keeps_encoding?: { max_bytes: number }
  headers?: z.ZodObject
  status: 200 | 201 | 204
  response: Response
  /** Media type of the answer and further forms of it, the first being the default. */
  response_media?: readonly string[]
  /** The answer goes on until the caller hangs up. */
  streams?: boolean
  /** True where a failure must say whether anything was written. */
  writes: boolean
  problems: readonly ProblemCode[]
  example: { params?: Record<string, unknown>; body?: unknown; response: unknown }
}

export type ParamsOf<R extends Route> = z.output<R['params']>
export type QueryOf<R extends Route> = z.output<R['query']>
export type BodyOf<R extends Route> =
  R extends Route<z.ZodType, z.ZodType, infer B> ? z.output<B> : never
export type ResponseOf<R extends Route> = z.output<R['response']>

/** Gives a route its precise type; the document, the server and the client are made from it. */
export function defineRoute<
  Params extends z.ZodType,
  Query extends z.ZodType,
  Body extends z.ZodType,
  Response extends z.ZodType,
>(route: Route<Params, Query, Body, Response>): Route<Params, Query, Body, Response> {
  return route
}
