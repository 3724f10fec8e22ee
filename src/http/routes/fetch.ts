import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Broker } from '../../broker/broker.ts'
import { fetch, fetchOne, findOffset, type Fetched, type Position } from '../../broker/fetch.ts'
import { invalidField, ProblemError } from '../../contract/problem-error.ts'
import * as contract from '../../contract/record-routes.ts'
import { JSON_STYLE, NDJSON_STYLE, pageBytes, recordLine, writePage } from '../../records/page.ts'
import { parseTimestamp } from '../../records/timestamp.ts'
import { rawValue } from '../../records/value.ts'
import { abandoned } from '../abandoned.ts'
import { mount, SENT } from '../mount.ts'
import { wantsBytes, wantsNdjson } from '../negotiate.ts'

const JSON_TYPE = 'application/json; charset=utf-8'
const NDJSON_TYPE = 'application/x-ndjson; charset=utf-8'

export function fetchRoutes(app: FastifyInstance, broker: Broker): void {
  mount(app, contract.fetchRecords, async ({ params, query, request, reply }) => {
    const ndjson = wantsNdjson(request)
    const fetched = await fetch(broker, {
      ...params,
      ...query,
      position: positionOf(query),
      style: ndjson ? NDJSON_STYLE : JSON_STYLE,
      signal: abandoned(reply),
    })
    if (ndjson) sendLines(reply, fetched)
    else sendPage(reply, params, fetched)
    return SENT
  })

  mount(app, contract.fetchRecord, async ({ params, request, reply }) => {
    const bytes = wantsBytes(request)
    const { batches, fetch_offset } = await fetchOne(broker, params)
    const [batch] = batches
    if (!batch) throw new ProblemError('internal_error', 'The record is missing from the log.')
    if (bytes) {
      sendValue(reply, Buffer.from(recordLine(batch, fetch_offset)))
      return SENT
    }
    const page = writePage([batch], fetch_offset, { max_records: 1, max_bytes: 1 }, JSON_STYLE)
    reply.header('content-type', JSON_TYPE).send(pageBytes(page))
    return SENT
  })

  mount(app, contract.findOffset, async ({ params, query }) => {
    const timestamp = parseTimestamp(query.timestamp)
    if (timestamp === undefined) {
      throw invalidField(
        'query',
        '/timestamp',
        'must be RFC 3339 (with T and a zone) or epoch milliseconds',
      )
    }
    const { offset, high_watermark, log_start_offset } = await findOffset(broker, {
      ...params,
      timestamp,
    })
    return { ...params, offset, high_watermark, log_start_offset }
  })
}

function positionOf(query: { offset?: number | undefined; from?: string | undefined }): Position {
  if (query.offset !== undefined && query.from !== undefined) {
    throw invalidField('query', '/from', 'stands beside offset; give one of the two')
  }
  if (query.offset !== undefined) return { kind: 'offset', offset: query.offset }
  if (query.from === undefined || query.from === 'earliest') return { kind: 'earliest', offset: 0 }
  if (query.from === 'latest') return { kind: 'latest', offset: 0 }
  if (/^-\d{1,15}$/.test(query.from)) return { kind: 'last', offset: -Number(query.from) }
  const timestamp = parseTimestamp(query.from)
  if (timestamp !== undefined) return { kind: 'timestamp', timestamp }
  throw invalidField(
    'query',
    '/from',
    'must be earliest, latest, -N (the last N records), RFC 3339 (with T and a zone) or epoch milliseconds',
  )
}

function sendPage(
  reply: FastifyReply,
  { topic, partition }: { topic: string; partition: number },
  { page, high_watermark, log_start_offset }: Fetched,
): void {
  const head = `{"topic":"${topic}","partition":${String(partition)},"records":[`
  const tail =
    `],"next_offset":${String(page.next_offset)},"high_watermark":${String(high_watermark)},` +
    `"log_start_offset":${String(log_start_offset)}}`
  reply.header('content-type', JSON_TYPE)
  reply.send(pageBytes(page, head, tail))
}

function sendLines(reply: FastifyReply, { page, high_watermark, log_start_offset }: Fetched): void {
  reply.headers({
    'content-type': NDJSON_TYPE,
    'tailrace-next-offset': String(page.next_offset),
    'tailrace-high-watermark': String(high_watermark),
    'tailrace-log-start-offset': String(log_start_offset),
  })
  reply.send(pageBytes(page))
}

function sendValue(reply: FastifyReply, line: Buffer): void {
  const value = rawValue(line)
  if (value === 'null') {
    reply.code(204).send()
    return
  }
  if (value === 'no_utf8_form') {
    const detail = 'The value is a JSON string with half a surrogate pair, which has no UTF-8 form.'
    throw new ProblemError('not_acceptable', detail, {
      hint: 'Accept application/json to get the record as JSON.',
    })
  }
  // Bytes of strangers: no browser shall guess what they are, or show them under our name.
  reply.headers({
    'content-type': 'application/octet-stream',
    'content-disposition': 'attachment',
    'x-content-type-options': 'nosniff',
  })
  reply.send(value.bytes)
}
