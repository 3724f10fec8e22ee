import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import protobuf from 'protobufjs/light.js'
import * as json from '../records/scan-json.ts'
import type { Decoded, Sender } from './decoded.ts'
import { Gathering, keyOf } from './gathering.ts'
import { stringAt } from './members.ts'
import { parseKeepingDigits, shapeProblem } from './otlp-json.ts'
import { addLogs, serviceOf, type Resource } from './otlp-logs.ts'
import { REQUESTS, type OtlpSignal } from './otlp-schema.ts'

export type OtlpEncoding = 'json' | 'protobuf'

export interface OtlpOptions {
  /**
   * Name each log by its content, so that one that was sent again is known. Logs that are the same in all but when
   * they were observed get different ids within a request, and the same again when it is repeated.
   */
  content_ids?: boolean | undefined
}

/** What was POSTed, and where the JSON text of each resource's batch is found. */
interface Request {
  message: Readonly<Record<string, unknown>>
  /** Batches are those of JSON, or made into it. */
  batchText: (index: number) => string
}

const BATCHES = {
  logs: 'resourceLogs',
  metrics: 'resourceMetrics',
  traces: 'resourceSpans',
} as const satisfies Record<OtlpSignal, string>

/**
 * An export request of OTLP/HTTP. Logs: one record each (addLogs). Metrics and traces: one record for each resource,
 * its value the OTLP JSON of that ResourceMetrics or ResourceSpans behind `"signal"`. `malformed` says why a body is
 * no such request: OTLP wants 400 then.
 */
// eslint-disable-next-line max-params -- each is of its own type
export function decodeOtlp(
  body: Buffer,
  encoding: OtlpEncoding,
  signal: OtlpSignal,
  sender: Sender,
  options: OtlpOptions = {},
): Decoded | { malformed: string } {
  const request = encoding === 'json' ? readJson(body, signal) : readProtobuf(body, signal)
  if ('malformed' in request) return request
  const gathering = new Gathering()
  if (signal === 'logs') {
    addLogs(gathering, request.message, sender, {
      is_repaired: encoding === 'json' && !isUtf8(body),
      idOf: options.content_ids ? contentIds(body) : undefined,
    })
  } else addBatches(gathering, request, signal, sender)
  return gathering.decoded()
}

function addBatches(
  gathering: Gathering,
  { message, batchText }: Request,
  signal: OtlpSignal,
  sender: Sender,
): void {
  const batches = (message[BATCHES[signal]] ?? []) as readonly { resource?: Resource | null }[]
  batches.forEach(({ resource }, index) => {
    const { app, process } = serviceOf(resource)
    const members = batchText(index).slice(1)
    const comma = /^\s*\}/.test(members) ? '' : ','
    gathering.addJson(`{"signal":"${signal}"${comma}${members}`, {
      key: keyOf(sender, app, process),
    })
  })
}

function readProtobuf(body: Buffer, signal: OtlpSignal): Request | { malformed: string } {
  const type = REQUESTS[signal]
  const reader = protobuf.Reader.create(body)
  reader.discardUnknown = true
  try {
    const message = type.decode(reader) as unknown as Record<string, unknown>
    const batches = (message[BATCHES[signal]] ?? []) as protobuf.Message[]
    return { message, batchText: (index) => jsonOf(batches[index]) }
  } catch (error) {
    // protobufjs throws Error, RangeError and its own ProtocolError, all of them about the bytes.
    return { malformed: `The body is no protobuf of OTLP ${signal}: ${(error as Error).message}` }
  }
}

const IDS = new Set(['traceId', 'spanId', 'parentSpanId'])

/** A message as OTLP's JSON: ids in hexadecimal digits, other bytes in base64, 64-bit numbers as strings. */
function jsonOf(message: protobuf.Message | undefined): string {
  if (message === undefined) return '{}'
  const object = message.$type.toObject(message, { longs: String, bytes: String, json: true })
  return JSON.stringify(object, (name, value: unknown) =>
    IDS.has(name) && typeof value === 'string'
      ? Buffer.from(value, 'base64').toString('hex')
      : value,
  )
}

function readJson(body: Buffer, signal: OtlpSignal): Request | { malformed: string } {
  try {
    const start = json.skipSpace(body, 0)
    const end = json.skipValue(body, start)
    if (json.skipSpace(body, end) < body.length) {
      return { malformed: `The body goes on behind its JSON, at byte ${end}.` }
    }
    const message = parseKeepingDigits(body.subarray(start, end))
    const problem = shapeProblem(REQUESTS[signal], message)
    if (problem !== undefined) return { malformed: `The body is no OTLP ${signal}: ${problem}.` }
    const batches = signal === 'logs' ? [] : batchTexts(body, start, BATCHES[signal])
    return { message: message as Request['message'], batchText: (index) => batches[index] ?? '{}' }
  } catch (error) {
    if (!(error instanceof json.JsonSyntaxError)) throw error
    return { malformed: `The body is not JSON: ${error.message}.` }
  }
}

/** The texts of the elements of the array `name`, as they were sent. */
function batchTexts(body: Buffer, start: number, name: string): string[] {
  let texts: string[] = []
  json.eachMember(body, start, (nameStart, nameEnd, at) => {
    if (stringAt(body, nameStart, nameEnd) !== name || body[at] !== json.OPEN_BRACKET) {
      return json.skipValue(body, at)
    }
    // Where a name stands twice JSON.parse takes the last, too.
    texts = []
    return json.eachElement(body, at, (from) => {
      const to = json.skipValue(body, from)
      texts.push(body.toString('utf8', from, to))
      return to
    })
  })
  return texts
}

/** Names contents: equal ones of one body are numbered, ones without any time are told apart by the body, too. */
function contentIds(body: Buffer): (identity: string, isTimed: boolean) => string {
  const counts = new Map<string, number>()
  let bodyHash: string | undefined
  return (identity, isTimed) => {
    bodyHash ??= isTimed ? undefined : sha256(body)
    const id = sha256(isTimed ? identity : `${bodyHash ?? ''} ${identity}`)
    const count = (counts.get(id) ?? 0) + 1
    counts.set(id, count)
    return count === 1 ? id : `${id}#${count}`
  }
}

function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex')
}
