import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Broker } from '../../broker/broker.ts'
import { receiveFrame } from '../../broker/drains/receive.ts'
import { receiveTelemetry } from '../../contract/drain-routes.ts'
import { LIMITS } from '../../contract/limits.ts'
import { invalidField, type ProblemError } from '../../contract/problem-error.ts'
import { decodeOtlp, type OtlpEncoding } from '../../drains/otlp.ts'
import { otlpError, otlpResponse, type OtlpAnswer } from '../../drains/otlp-answer.ts'
import { nameOf } from '../drains/frame-of.ts'
import { takeIn } from '../drains/take-in.ts'
import { logFailure } from '../failure-log.ts'
import { mount, SENT, type Call } from '../mount.ts'
import { asProblem } from '../problem-json.ts'
import { mediaTypeOf } from '../read-body.ts'

/**
 * OTLP/HTTP, with its own answers: https://opentelemetry.io/docs/specs/otlp/#otlphttp. Exporters send again what is
 * answered 429, 502, 503 or 504, and nothing else.
 */
export function telemetryRoutes(app: FastifyInstance, broker: Broker): void {
  mount(app, receiveTelemetry, async (call) => {
    const { request, reply } = call
    const encoding = mediaTypeOf(request) === 'application/json' ? 'json' : 'protobuf'
    try {
      await receive(broker, call, encoding)
      send(reply, 200, otlpResponse(encoding))
    } catch (error) {
      const problem = asProblem(error)
      if (problem.status >= 500) logFailure(request.log, problem, request.id)
      refuse(reply, encoding, problem)
    }
    return SENT
  })
}

async function receive(
  broker: Broker,
  { params, query, request }: Call<typeof receiveTelemetry>,
  encoding: OtlpEncoding,
): Promise<void> {
  const holdMs = LIMITS.drain_patience_ms
  const { drain, raw, body } = await takeIn(broker, request, { drain: params.drain, holdMs })
  const content_ids = query.dedupe === 'content'
  const decoded = decodeOtlp(body, encoding, params.signal, { source: query.app }, { content_ids })
  if ('malformed' in decoded) throw invalidField('body', '', decoded.malformed)
  const dedupe = query.dedupe === 'body' ? 'body' : 'none'
  const name = nameOf('json', request.headers, { body: raw, dedupe })
  await receiveFrame(broker, { drain, decoded, ...name, bytes: body.length, hold_ms: holdMs })
}

const RPC_CODE: Readonly<Record<number, Parameters<typeof otlpError>[1]>> = {
  400: 'invalid_argument',
  401: 'unauthenticated',
  404: 'permission_denied',
  413: 'invalid_argument',
  415: 'invalid_argument',
  429: 'resource_exhausted',
  503: 'unavailable',
}

function refuse(reply: FastifyReply, encoding: OtlpEncoding, problem: ProblemError): void {
  const seconds = problem.details.retry_after_s
  if (seconds !== undefined) reply.header('retry-after', String(seconds))
  const code = RPC_CODE[problem.status] ?? 'internal'
  send(reply, problem.status, otlpError(encoding, code, problem.message))
}

function send(reply: FastifyReply, status: number, { content_type, body }: OtlpAnswer): void {
  reply.code(status).header('content-type', content_type).send(body)
}
