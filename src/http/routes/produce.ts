import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Broker } from '../../broker/broker.ts'
import { produce, type Produced, type ProduceInput } from '../../broker/produce.ts'
import { LIMITS } from '../../contract/limits.ts'
import { invalidField, ProblemError } from '../../contract/problem-error.ts'
import { produceBody, produceRecords } from '../../contract/record-routes.ts'
import { parseEnvelope, parseRecordLines, type ParsedBody } from '../../records/parse-body.ts'
import { isNdjson, parseValues, valueForm } from '../../records/parse-values.ts'
import { mount, SENT } from '../mount.ts'
import { bodyOf, mediaTypeOf } from '../read-body.ts'

export function produceRoutes(app: FastifyInstance, broker: Broker): void {
  mount(app, produceRecords, async ({ params, request, reply }) => {
    const parse = recordParser(request)
    const body = bodyOf(request)
    const input = { topic: params.topic, bytes: body.length, parse: () => parse(body) }
    send(reply, await produce(broker, { ...input, idempotency: idempotencyOf(request) }))
    return SENT
  })

  mount(app, produceBody, async ({ params, query, request, reply }) => {
    const form = query.split === 'lines' ? 'lines' : valueForm(mediaTypeOf(request))
    const parse: ProduceInput['parse'] = () => ({
      table: parseValues(bodyOf(request), form, query.key),
      expected_offsets: [],
    })
    const produced = await produce(broker, {
      topic: params.topic,
      bytes: bodyOf(request).length,
      parse,
      partition: query.partition,
      idempotency: idempotencyOf(request),
    })
    reply.header('link', `</v1/topics/${params.topic}>; rel="describedby"`)
    send(reply, produced)
    return SENT
  })
}

function recordParser(request: FastifyRequest): (body: Buffer) => ParsedBody {
  const mediaType = mediaTypeOf(request)
  if (mediaType === 'application/json' || mediaType.endsWith('+json')) return parseEnvelope
  if (isNdjson(mediaType)) return parseRecordLines
  const sent = mediaType || 'no Content-Type'
  throw new ProblemError(
    'unsupported_media_type',
    `This path takes application/json or application/x-ndjson, not ${sent}.`,
    {
      errors: [{ in: 'header', pointer: '/content-type', detail: 'must be JSON or NDJSON' }],
      hint: "With curl, add -H 'content-type: application/json', or POST the plain record to /t/{topic}.",
    },
  )
}

/** The key, and a digest that tells a retry of the same request from another one. */
function idempotencyOf(request: FastifyRequest): ProduceInput['idempotency'] {
  const key = request.headers['idempotency-key']
  if (key === undefined) return undefined
  if (typeof key !== 'string' || key === '' || key.length > LIMITS.idempotency_key_chars) {
    const detail = `must have 1 to ${String(LIMITS.idempotency_key_chars)} characters`
    throw invalidField('header', '/idempotency-key', detail)
  }
  const digest = createHash('sha256')
    .update(`${request.url}\n${mediaTypeOf(request)}\n`)
    .update(bodyOf(request))
    .digest('base64')
  return { key, digest }
}

/** Hand-written: JSON.stringify of the whole answer takes longer than all else on this path. */
function send(reply: FastifyReply, { response, replayed, topic_created }: Produced): void {
  if (replayed) reply.header('idempotency-replayed', 'true')
  if (topic_created) reply.header('tailrace-topic-created', 'true')
  const offsets = response.offsets.map(
    ({ partition, base_offset, record_count }) =>
      `{"partition":${String(partition)},"base_offset":${String(base_offset)},"record_count":${String(record_count)}}`,
  )
  reply.header('content-type', 'application/json; charset=utf-8')
  reply.send(`{"topic":"${response.topic}","offsets":[${offsets.join(',')}]}`)
}
