import * as json from '../records/scan-json.ts'
import { isPubsubPush } from './pubsub.ts'

/** What a drain's request is written in; `unsupported` is what only other settings of the sender make readable. */
export type DrainFormat =
  | 'logplex'
  | 'json'
  | 'ndjson'
  | 'text'
  | 'vercel'
  | 'cloudevents_structured'
  | 'cloudevents_batch'
  | 'cloudevents_binary'
  | 'firehose'
  | 'pubsub'
  | 'unsupported'

/** Lower-cased names, as Node gives them. */
export type DrainHeaders = Readonly<Record<string, string | string[] | undefined>>

/** Senders that give themselves away whatever they call their content. All of the headers must be there. */
const TELL_TALES: readonly (readonly [format: DrainFormat, ...headers: string[]])[] = [
  ['firehose', 'x-amz-firehose-request-id'],
  ['vercel', 'x-vercel-signature'],
  ['vercel', 'x-zeit-signature'],
]
const LOGPLEX_HEADERS = ['logplex-frame-id', 'logplex-drain-token', 'logplex-msg-count']

const NDJSON_TYPE =
  /^(application|text)\/(x-)?(ndjson|jsonl|jsonlines|json-lines|ldjson|json-seq|stream\+json)$/
const JSON_TYPE = /^((application|text)\/(x-)?json|application\/(.+\+)?json)$/
/** Encodings nobody can read as lines: what they hold is lost on whoever reads the topic. */
const BINARY_TYPE =
  /^application\/(vnd\.|x-)?(msgpack|messagepack|snappy|snappy-framed|protobuf|google\.protobuf|thrift|avro|avro-binary|cbor|parquet)$/

const OCTET_COUNTED = /^\d{1,10} <\d{1,3}>\d/
const STARTS_JSON = new Set([json.OPEN_BRACE, json.OPEN_BRACKET, json.QUOTE])

/**
 * What a request is written in, by its content type and headers, and where these say nothing that can be relied on
 * (nothing, octet-stream, text, a form as curl -d sends it, JSON that is none) by how the body begins.
 */
export function formatOf(headers: DrainHeaders, body: Buffer): DrainFormat {
  const type = mediaType(headers['content-type'])
  const told = TELL_TALES.find(([, ...names]) => names.every((name) => has(headers, name)))
  if (told) return told[0]
  if (type === 'application/cloudevents-batch+json') return 'cloudevents_batch'
  if (type === 'application/cloudevents+json') return 'cloudevents_structured'
  if (has(headers, 'ce-id') && has(headers, 'ce-specversion')) return 'cloudevents_binary'
  if (type === 'application/logplex-1' || LOGPLEX_HEADERS.some((name) => has(headers, name))) {
    return 'logplex'
  }
  if (BINARY_TYPE.test(type)) return 'unsupported'
  if (NDJSON_TYPE.test(type)) return 'ndjson'
  return formatOfBody(body, JSON_TYPE.test(type))
}

function has(headers: DrainHeaders, name: string): boolean {
  return headers[name] !== undefined
}

/** `text/plain; charset=utf-8` is text/plain; nothing is ''. */
function mediaType(value: string | string[] | undefined): string {
  const first = Array.isArray(value) ? value[0] : value
  return (first ?? '').replace(/;.*/s, '').trim().toLowerCase()
}

function formatOfBody(body: Buffer, isCalledJson: boolean): DrainFormat {
  const at = startOf(body)
  if (isPubsubPush(body, at)) return 'pubsub'
  if (isCalledJson && STARTS_JSON.has(body[at] ?? 0)) return 'json'
  if (looksLikeJson(body, at)) return 'ndjson'
  if (OCTET_COUNTED.test(body.toString('latin1', at, at + 20))) return 'logplex'
  return 'text'
}

/** The first byte that is not blank, behind a byte order mark. */
function startOf(body: Buffer): number {
  const isMarked = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf
  return json.skipSpace(body, isMarked ? 3 : 0)
}

/** `{"` and `[{` begin JSON; `[GIN]`, `[12-1]` and `{not` are text. */
function looksLikeJson(body: Buffer, at: number): boolean {
  const next = body[json.skipSpace(body, at + 1)]
  if (body[at] === json.OPEN_BRACE) return next === json.QUOTE || next === json.CLOSE_BRACE
  if (body[at] !== json.OPEN_BRACKET) return false
  return next === json.OPEN_BRACE || next === json.OPEN_BRACKET || next === json.QUOTE
}
