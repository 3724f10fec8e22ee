/* eslint-disable @typescript-eslint/no-non-null-assertion -- indexes are inside what was scanned before */
import * as json from '../records/scan-json.ts'
import { base64Data } from './base64-data.ts'
import type { Decoded, Sender } from './decoded.ts'
import { timeMs } from './line-time.ts'
import { formatOf } from './format.ts'
import { Gathering, keyOf } from './gathering.ts'
import { addJsonEvent, addJsonEvents, addValue, readJson } from './json-events.ts'
import { soleJsonValue } from './json-values.ts'
import { Members, stringAt } from './members.ts'
import { addTextLines } from './text-lines.ts'

/** Unpacks gzip into a bounded size; undefined where it is none, or too large. */
export type Gunzip = (bytes: Buffer) => Buffer | undefined

/** What CloudWatch Logs says about all events of a subscription's message. */
const SUBSCRIPTION = new Members({
  type: ['messageType'],
  owner: ['owner'],
  group: ['logGroup'],
  stream: ['logStream'],
})
const LOG_EVENT = new Members({ time: ['timestamp'] })

/**
 * A request of Amazon Data Firehose: `{"requestId","timestamp","records":[{"data"}]}`, data in base64. What a
 * record holds is read as JSON, NDJSON or text, each event or line a record of ours; of CloudWatch Logs (gzip
 * inside) each log event is one, with its group, stream and owner as headers. There are no ids: a request has one.
 */
export function decodeFirehose(body: Buffer, sender: Sender, gunzip: Gunzip): Decoded {
  const gathering = new Gathering()
  const bounds = soleJsonValue(body)
  const found =
    bounds &&
    eachData(body, bounds[0], (from, to) => {
      addData(gathering, stringAt(body, from, to), { sender, gunzip })
    })
  // Not what Firehose sends: then it is kept as what it is.
  if (!found) addJsonEvents(gathering, body, sender, 'json')
  return gathering.decoded()
}

/**
 * What Firehose must be answered (status 200): its own request id and a time in ms. Send it with Content-Length and
 * without Content-Encoding.
 */
export function firehoseAnswer(requestId: string, nowMs: number): Buffer {
  return Buffer.from(JSON.stringify({ requestId, timestamp: nowMs }))
}

/** Calls `read` with the bounds of each record's data; false where there are no records of that shape. */
function eachData(body: Buffer, start: number, read: (from: number, to: number) => void): boolean {
  const places: [from: number, to: number][] = []
  const isWhole = eachElementOf(body, start, 'records', (at) => {
    const data = memberAt(body, at, 'data')
    if (data === undefined || body[data[0]] !== json.QUOTE) return false
    places.push(data)
    return true
  })
  if (isWhole) for (const place of places) read(...place)
  return isWhole
}

/** Reads the array that is a member of the object at `start`; false where it is none, or `read` refuses one. */
function eachElementOf(
  bytes: Buffer,
  start: number,
  name: string,
  read: (at: number) => boolean,
): boolean {
  const array = memberAt(bytes, start, name)
  if (array === undefined || bytes[array[0]] !== json.OPEN_BRACKET) return false
  let isFine = true
  json.eachElement(bytes, array[0], (at) => {
    isFine = read(at) && isFine
    return json.skipValue(bytes, at)
  })
  return isFine
}

/** The bounds of the member of that name in the object at `start`, if that is an object and has it. */
function memberAt(bytes: Buffer, start: number, name: string): [number, number] | undefined {
  let found: [number, number] | undefined
  if (bytes[start] !== json.OPEN_BRACE) return undefined
  json.eachMember(bytes, start, (nameStart, nameEnd, at) => {
    const end = json.skipValue(bytes, at)
    if (stringAt(bytes, nameStart, nameEnd) === name) found = [at, end]
    return end
  })
  return found
}

interface Reading {
  sender: Sender
  gunzip: Gunzip
}

function addData(gathering: Gathering, text: string, { sender, gunzip }: Reading): void {
  const facts = { key: sender.source }
  const data = base64Data(text)
  if (data === undefined) {
    gathering.addText(Buffer.from(text), ['not_base64'], facts)
    return
  }
  const isGzip = data[0] === 0x1f && data[1] === 0x8b
  const plain = isGzip ? gunzip(data) : data
  if (plain === undefined) gathering.addText(data, ['gzip'], facts)
  else addPlain(gathering, plain, sender)
}

function addPlain(gathering: Gathering, plain: Buffer, sender: Sender): void {
  const format = formatOf({}, plain)
  if (format === 'text' || format === 'logplex') {
    addTextLines(gathering, plain, sender)
    return
  }
  readJson(gathering, plain, sender, {
    form: 'ndjson',
    value: (from, to) => {
      if (!addSubscription(gathering, plain, sender, from)) {
        addJsonEvent(gathering, plain, sender, [from, to])
      }
    },
  })
}

/** Adds the log events of a CloudWatch Logs message; false where it is none. */
function addSubscription(
  gathering: Gathering,
  bytes: Buffer,
  sender: Sender,
  start: number,
): boolean {
  const { type, owner, group, stream } = SUBSCRIPTION.read(bytes, start)
  if (type === undefined || owner === undefined) return false
  const headers = Object.fromEntries(
    Object.entries({ log_group: group, log_stream: stream, owner, message_type: type }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  )
  const key = keyOf(sender, group, stream)
  const events: number[] = []
  const isWhole = eachElementOf(bytes, start, 'logEvents', (at) => {
    events.push(at)
    return bytes[at]! === json.OPEN_BRACE
  })
  if (!isWhole) return false
  for (const at of events) {
    const { time } = LOG_EVENT.read(bytes, at)
    const value = bytes.subarray(at, json.skipValue(bytes, at))
    addValue(gathering, value, { key, headers, time_ms: time ? timeMs(time) : undefined })
  }
  return true
}
