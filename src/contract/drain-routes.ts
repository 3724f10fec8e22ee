import { z } from 'zod'
import { DrainMetricsAnswer, METRICS_EXAMPLE, MetricsWindow } from './drain-metrics.ts'
import {
  CreateDrain,
  Drain,
  DrainName,
  DrainPage,
  DrainWithCredential,
  RotateDrain,
} from './drains.ts'
import { LIMITS } from './limits.ts'
import { TopicName } from './names.ts'
import { PageQuery } from './paging.ts'
import { defineRoute } from './route.ts'

const DrainParams = z.strictObject({ drain: DrainName })
const NoQuery = z.strictObject({})

const shopSummary = {
  name: 'shop',
  topic: 'shop',
  url: 'https://logs.example.com/drains/shop',
  created_at: '2026-11-21T09:22:54.170Z',
}
const shopWithCredential = {
  ...shopSummary,
  credential: 'trd_9mPq2Xw4Zt7Rk1Lc8Vb3Ny6H',
  commands: {
    heroku:
      'heroku drains:add https://logs:trd_9mPq2Xw4Zt7Rk1Lc8Vb3Ny6H@logs.example.com/drains/shop -a APP',
    heroku_fir: `heroku telemetry:add https://logs.example.com/drains/shop --signals logs --transport http --headers '{"Authorization":"Bearer trd_9mPq2Xw4Zt7Rk1Lc8Vb3Ny6H"}' -a APP`,
    curl: "curl -d 'hello' https://logs:trd_9mPq2Xw4Zt7Rk1Lc8Vb3Ny6H@logs.example.com/drains/shop",
  },
}
const shop = {
  ...shopSummary,
  received: {
    frames: 18,
    lines: 407,
    bytes: 61802,
    duplicates: 1,
    flagged: 0,
    last_frame_at: '2026-11-21T09:41:07.031Z',
    last_frame_id: '33C0E4D64D7C2E37E8E1AF7E2D6D5F60',
    arrival_lag_ms: 212,
  },
  gaps: { count: 0, dropped_lines: 0, last_at: null },
  looped: { lines: 0, last_at: null },
  sources: [
    {
      source: 'app/web.1',
      frames: 17,
      first_seen_at: '2026-11-21T09:23:10.522Z',
      last_seen_at: '2026-11-21T09:41:07.031Z',
    },
  ],
}

export const createDrain = defineRoute({
  operation_id: 'createDrain',
  method: 'POST',
  path: '/v1/drains',
  tag: 'drains',
  summary: 'Create a drain, and the line to paste',
  description:
    'Its topic is created if there is none. The credential is shown this once, inside whole commands.',
  operation: 'drain.create',
  params: z.strictObject({}),
  query: NoQuery,
  body: CreateDrain,
  status: 201,
  response: DrainWithCredential,
  writes: true,
  problems: ['drain_already_exists'],
  example: { body: { name: 'shop' }, response: shopWithCredential },
})

export const listDrains = defineRoute({
  operation_id: 'listDrains',
  method: 'GET',
  path: '/v1/drains',
  tag: 'drains',
  summary: 'List drains by name',
  description: 'Follow `next` (also in the `Link` header) until it is null.',
  operation: 'drain.list',
  params: z.strictObject({}),
  query: PageQuery,
  status: 200,
  response: DrainPage,
  writes: false,
  problems: [],
  example: { response: { drains: [shopSummary], next: null } },
})

export const getDrain = defineRoute({
  operation_id: 'getDrain',
  method: 'GET',
  path: '/v1/drains/{drain}',
  tag: 'drains',
  summary: 'What a drain has received',
  description: 'Added up about once a second.',
  operation: 'drain.get',
  params: DrainParams,
  query: NoQuery,
  status: 200,
  response: Drain,
  writes: false,
  problems: ['unknown_drain'],
  example: { params: { drain: 'shop' }, response: shop },
})

export const getDrainMetrics = defineRoute({
  operation_id: 'getDrainMetrics',
  method: 'GET',
  path: '/v1/drains/{drain}/metrics',
  tag: 'drains',
  summary: 'Requests of the application, by its router lines',
  description:
    'Made from the last hour of the topic, by the time of the lines; each line counts once, however late. As JSON; with `Accept: text/event-stream` a `metrics` event every second; with `Accept: text/plain` for Prometheus, counted since this node began to.',
  operation: 'drain.get',
  params: DrainParams,
  query: z.strictObject({ window: MetricsWindow.optional() }),
  status: 200,
  response: DrainMetricsAnswer,
  response_media: ['application/json', 'text/event-stream', 'text/plain'],
  streams: true,
  writes: false,
  problems: ['unknown_drain', 'not_acceptable'],
  example: { params: { drain: 'shop' }, response: METRICS_EXAMPLE },
})

export const rotateDrain = defineRoute({
  operation_id: 'rotateDrain',
  method: 'POST',
  path: '/v1/drains/{drain}/rotate',
  tag: 'drains',
  summary: 'Give a drain a new credential',
  description:
    'The one it had counts for `grace_ms` more, so that nothing is lost while the sender is told.',
  operation: 'drain.rotate',
  params: DrainParams,
  query: NoQuery,
  body: RotateDrain,
  status: 200,
  response: DrainWithCredential,
  writes: true,
  problems: ['unknown_drain'],
  example: {
    params: { drain: 'shop' },
    body: { grace_ms: 3_600_000 },
    response: shopWithCredential,
  },
})

export const deleteDrain = defineRoute({
  operation_id: 'deleteDrain',
  method: 'DELETE',
  path: '/v1/drains/{drain}',
  tag: 'drains',
  summary: 'Delete a drain',
  description:
    'Senders are answered 404 from then on, and drop what they send. Its topic stays; delete that for itself.',
  operation: 'drain.delete',
  params: DrainParams,
  query: NoQuery,
  status: 204,
  response: z.void(),
  writes: true,
  problems: ['unknown_drain'],
  example: { params: { drain: 'shop' }, response: undefined },
})

/** Of the paths that senders call, whose URLs people write by hand: what is not known there is left alone. */
const SenderQuery = z.looseObject({
  app: TopicName.optional().meta({
    description: 'What to call the sender: first part of the keys, in place of its drain token.',
  }),
  dedupe: z.enum(['body', 'content', 'none']).optional().meta({
    description:
      '`body`: a body that is the same byte by byte within 24 hours is stored once; for senders that repeat requests, name none of them, and whose lines carry a time. `content`, of OpenTelemetry logs: the same for each log record.',
  }),
  credential: z.string().optional().meta({
    description:
      'The credential, for senders that can set no header. It will stand in the logs of every proxy in between.',
  }),
})

const Line = z.string().meta({ description: 'Log lines in a form that the sender chooses.' })
const LOGPLEX_EXAMPLE = '61 <190>1 2026-11-21T09:41:06.819402+00:00 host app web.1 - ready\n'

export const receiveFrame = defineRoute({
  operation_id: 'receiveFrame',
  method: 'POST',
  path: '/drains/{drain}',
  tag: 'drains',
  summary: 'What log senders call',
  description:
    "Takes `application/logplex-1` (Heroku, log-shuttle), JSON, NDJSON, text, and what Vercel, CloudEvents, Firehose and Pub/Sub send, as its headers and first bytes tell; gzip too. Answers after the lines are durable, and never 4xx because of what is in them: what cannot be parsed is kept as it came. A frame id (`Logplex-Frame-Id`, `X-Request-Id`, `Idempotency-Key`, or an event's own) is stored once.",
  operation: 'drain.receive',
  params: DrainParams,
  query: SenderQuery,
  raw_body: {
    'application/logplex-1': { schema: Line, example: LOGPLEX_EXAMPLE },
    'application/json': { schema: z.unknown(), example: [{ message: 'ready', level: 'info' }] },
    'application/x-ndjson': { schema: Line, example: '{"message":"ready"}\n' },
    'text/plain': { schema: Line, example: 'ready\n' },
  },
  keeps_encoding: { max_bytes: LIMITS.drain_body_bytes },
  status: 204,
  response: z.void(),
  writes: true,
  problems: ['unauthorized', 'unknown_drain', 'request_too_large', 'unsupported_media_type'],
  example: { params: { drain: 'shop' }, body: LOGPLEX_EXAMPLE, response: undefined },
})

export const probeDrain = defineRoute({
  operation_id: 'probeDrain',
  method: 'GET',
  path: '/drains/{drain}',
  tag: 'drains',
  summary: 'What senders ask before they send',
  description: 'HEAD and OPTIONS are answered too, with the handshake of CloudEvents webhooks.',
  operation: 'drain.receive',
  params: DrainParams,
  query: SenderQuery,
  status: 200,
  response: z.strictObject({ drain: DrainName, status: z.literal('ready') }),
  writes: false,
  problems: ['unauthorized', 'unknown_drain'],
  example: { params: { drain: 'shop' }, response: { drain: 'shop', status: 'ready' } },
})

export const receiveTelemetry = defineRoute({
  operation_id: 'receiveTelemetry',
  method: 'POST',
  path: '/drains/{drain}/v1/{signal}',
  tag: 'drains',
  summary: 'OpenTelemetry logs, metrics and traces (OTLP/HTTP)',
  description:
    'Protobuf or JSON, answered in the same. While the database is away it is 503 with `Retry-After`, on which exporters send again. Each log record is one record; metrics and traces are kept whole.',
  operation: 'drain.receive',
  params: z.strictObject({ drain: DrainName, signal: z.enum(['logs', 'metrics', 'traces']) }),
  query: SenderQuery,
  raw_body: {
    'application/json': {
      schema: z.unknown(),
      example: { resourceLogs: [] },
    },
    'application/x-protobuf': { schema: z.string(), example: '' },
  },
  keeps_encoding: { max_bytes: LIMITS.drain_body_bytes },
  status: 200,
  response: z.unknown(),
  response_media: ['application/json', 'application/x-protobuf'],
  writes: true,
  problems: [
    'invalid_request',
    'unauthorized',
    'unknown_drain',
    'request_too_large',
    'unsupported_media_type',
    'store_unavailable',
  ],
  example: {
    params: { drain: 'shop', signal: 'logs' },
    body: { resourceLogs: [] },
    response: {},
  },
})
