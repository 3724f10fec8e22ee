import type { z } from 'zod'
import type { Problem } from '../contract/openapi.ts'
import type { Route } from '../contract/route.ts'

/** What a route's parameters look like to a caller. */
type Input<S> = S extends z.ZodType ? z.input<S> : never

/** Text or bytes, sent as they are. */
type RawBody = string | Uint8Array<ArrayBuffer>

export interface CallOptions<R extends Route> {
  params?: Input<R['params']>
  query?: Input<R['query']>
  /** A JSON body, or text and bytes as they are for routes that take them. */
  body?: R extends Route<z.ZodType, z.ZodType, infer B> ? z.input<B> | RawBody : RawBody
  headers?: Record<string, string>
  signal?: AbortSignal
}

/** The server said no: its problem object (RFC 9457), or what there was instead. */
export class CallError extends Error {
  readonly status: number
  readonly problem: Problem | undefined
  /** How long the server asks to wait, where it does. */
  readonly retry_after_s: number | undefined

  constructor(
    status: number,
    problem: Problem | undefined,
    message: string,
    retry_after_s?: number,
  ) {
    super(message)
    this.name = 'CallError'
    this.status = status
    this.problem = problem
    this.retry_after_s = retry_after_s
  }
}

function fillIn(path: string, params: Record<string, unknown>): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(params[name])),
  )
}

type QueryValues = Record<string, string | number | boolean | undefined>

/** The address of a contract route with these parameters. */
export function urlOf(base: string, route: Route, options: CallOptions<Route>): string {
  const url = new URL(fillIn(route.path, (options.params ?? {}) as Record<string, unknown>), base)
  for (const [name, value] of Object.entries((options.query ?? {}) as QueryValues)) {
    if (value !== undefined) url.searchParams.set(name, String(value))
  }
  return url.href
}

function isPlain(body: unknown): boolean {
  return (
    typeof body === 'object' && body !== null && Object.getPrototypeOf(body) === Object.prototype
  )
}

/** Sends a request to a contract route; the answer is whatever the server gave, problems included. */
export async function send<R extends Route>(
  base: string,
  route: R,
  options: CallOptions<R> = {},
): Promise<Response> {
  const json = isPlain(options.body)
  const headers = { ...(json ? { 'content-type': 'application/json' } : {}), ...options.headers }
  const body = json ? JSON.stringify(options.body) : (options.body as RawBody | undefined)
  return fetch(urlOf(base, route, options), {
    method: route.method,
    headers,
    ...(body === undefined ? {} : { body }),
    ...(options.signal ? { signal: options.signal } : {}),
  })
}

/** Calls a contract route and gives its answer, or throws a CallError. */
export async function call<R extends Route>(
  base: string,
  route: R,
  options: CallOptions<R> = {},
): Promise<z.output<R['response']>> {
  const response = await send(base, route, options)
  if (!response.ok) throw await callError(response)
  if (response.status === 204) return undefined as z.output<R['response']>
  return (await response.json()) as z.output<R['response']>
}

/** What an answer that is not ok says. */
export async function callError(response: Response): Promise<CallError> {
  const text = await response.text()
  const isProblem =
    response.headers.get('content-type')?.startsWith('application/problem+json') ?? false
  const problem = isProblem ? (JSON.parse(text) as Problem) : undefined
  return new CallError(
    response.status,
    problem,
    problem?.detail ?? `HTTP ${String(response.status)}: ${text}`,
    retryAfter(response),
  )
}

/** The header's other form, a date, is none of our server's. */
function retryAfter(response: Response): number | undefined {
  const text = response.headers.get('retry-after') ?? ''
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined
}
