import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Broker } from '../../broker/broker.ts'
import { admitted } from '../../broker/drains/admission.ts'
import { findDrain, receiveFrame, type DrainRow } from '../../broker/drains/receive.ts'
import * as contract from '../../contract/drain-routes.ts'
import { LIMITS } from '../../contract/limits.ts'
import { PROBLEMS } from '../../contract/problems.ts'
import { firehoseAnswer } from '../../drains/firehose.ts'
import { formatOf } from '../../drains/format.ts'
import { decode, headerOf, type Sent } from '../drains/decode.ts'
import { nameOf } from '../drains/frame-of.ts'
import { givenBy } from '../drains/given-credentials.ts'
import { takeIn } from '../drains/take-in.ts'
import { logFailure } from '../failure-log.ts'
import { mount, SENT, type Call } from '../mount.ts'
import { asProblem } from '../problem-json.ts'
import { bodyOf } from '../read-body.ts'

type Receive = Call<typeof contract.receiveFrame>

/** What senders of logs call. */
export function receiveRoutes(app: FastifyInstance, broker: Broker): void {
  mount(app, contract.receiveFrame, async (call) => {
    const { request, reply } = call
    const isLogplex = formatOf(request.headers, bodyOf(request)) === 'logplex'
    try {
      await receive(broker, call, isLogplex ? LIMITS.drain_hold_ms : LIMITS.drain_patience_ms)
    } catch (error) {
      if (!isLogplex || !isFailureOfOurs(error)) throw error
      await hangUp(request, reply, { error, isStopping: broker.drains.outage.isOver })
    }
    return SENT
  })

  mount(app, contract.probeDrain, async ({ params, request, reply }) => {
    const drain = await findDrain(broker, params.drain, 0)
    showVerification(drain, reply)
    if (request.headers.authorization !== undefined)
      await admitted(broker.drains, drain, givenBy(request))
    return { drain: drain.name, status: 'ready' as const }
  })

  app.options('/drains/:drain', (request, reply) => {
    // https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md, 4
    const origin = headerOf(request.headers, 'webhook-request-origin')
    if (origin !== undefined) reply.header('webhook-allowed-origin', origin)
    reply.header('webhook-allowed-rate', '*').header('allow', 'GET, HEAD, OPTIONS, POST')
    return reply.code(204).send()
  })
}

async function receive(broker: Broker, call: Receive, holdMs: number): Promise<void> {
  const { params, query, request, reply } = call
  const asked = { drain: params.drain, holdMs }
  const { drain, raw, body } = await takeIn(broker, request, asked, (known) => {
    showVerification(known, reply)
  })
  const format = formatOf(request.headers, body)
  const sent = { format, headers: request.headers, body, sender: senderOf(call) }
  const decoded = decode(sent)
  const name = nameOf(format, request.headers, { body: raw, dedupe: query.dedupe })
  await receiveFrame(broker, { drain, decoded, ...name, bytes: body.length, hold_ms: holdMs })
  answer(reply, sent)
}

function senderOf({ query, request }: Receive): Sent['sender'] {
  const { host } = request.headers
  // As it was written: that is how a router's line has it.
  const path = request.url.split('?', 1)[0] ?? ''
  return {
    source: query.app ?? headerOf(request.headers, 'logplex-drain-token'),
    own: host === undefined ? undefined : { host, path },
  }
}

/** What the sender takes for success: nothing that could be chunked. */
function answer(reply: FastifyReply, { format, headers }: Sent): void {
  if (format === 'firehose') {
    const requestId = headerOf(headers, 'x-amz-firehose-request-id') ?? ''
    reply.code(200).type('application/json').send(firehoseAnswer(requestId, Date.now()))
  } else if (format === 'vercel') reply.code(200).type('application/json').send('{}')
  else reply.code(204).send()
}

function showVerification(drain: DrainRow, reply: FastifyReply): void {
  const { vercel_verify } = drain.config
  if (vercel_verify !== undefined) reply.header('x-vercel-verify', vercel_verify)
}

function isFailureOfOurs(error: unknown): boolean {
  return PROBLEMS[asProblem(error).code].status >= 500 || asProblem(error).status === 429
}

/**
 * To Logplex and log-shuttle a connection that is cut is better than any answer: the one spends a try on either, the
 * other tries again only after this. Not before they have waited for nearly as long as they do: the tries come within
 * milliseconds of each other.
 */
async function hangUp(
  request: FastifyRequest,
  reply: FastifyReply,
  { error, isStopping }: { error: unknown; isStopping: boolean },
): Promise<void> {
  logFailure(request.log, asProblem(error), request.id)
  const left = LIMITS.drain_patience_ms - reply.elapsedTime
  if (left > 0 && !isStopping) await sleep(left)
  reply.hijack()
  request.raw.socket.destroy()
}
