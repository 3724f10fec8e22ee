import { isUtf8 } from 'node:buffer'
import type { Decoded, Sender } from './decoded.ts'
import { timeMs } from './line-time.ts'
import type { DrainHeaders } from './format.ts'
import { Gathering, type Facts } from './gathering.ts'
import { addValue, readJson } from './json-events.ts'
import { soleJsonValue } from './json-values.ts'
import { Members } from './members.ts'

const EVENT = new Members({
  id: ['id'],
  source: ['source'],
  subject: ['subject'],
  time: ['time'],
  specversion: ['specversion'],
})
type Attributes = ReturnType<typeof EVENT.read>

const OPEN = Buffer.from('[')
const CLOSE = Buffer.from(']')
const JSON_TYPE = /^[^;]*[/+]json\s*(;|$)/i
/** `data` is the body's. */
const ATTRIBUTE = /^ce-(?!data$)([a-z0-9]{1,100})$/

/**
 * CloudEvents 1.0 in structured or batched mode: a value is the event as it was sent. Ids are source and id, which
 * together name an event; what lacks one of them is kept all the same, flagged.
 */
export function decodeCloudEvents(body: Buffer, sender: Sender): Decoded {
  const gathering = new Gathering()
  readJson(gathering, body, sender, {
    form: 'json',
    value: (from, to) =>
      addValue(gathering, body.subarray(from, to), eventFacts(sender, EVENT.read(body, from))),
  })
  return gathering.decoded()
}

/**
 * A CloudEvent in binary mode: attributes in `ce-` headers, data in the body. Its value is the event in structured
 * form: JSON data exactly as sent, text as `data`, all else as `data_base64`.
 */
export function decodeBinaryCloudEvent(
  headers: DrainHeaders,
  body: Buffer,
  sender: Sender,
): Decoded {
  const gathering = new Gathering()
  const attributes = attributesOf(headers)
  const type = textOf(headers['content-type'])
  const members = Object.entries(attributes).map(([name, text]) => memberText(name, text))
  if (type !== undefined) members.push(memberText('datacontenttype', type))
  if (body.length > 0) members.push(dataMember(type, body))
  gathering.addJson(`{${members.join(',')}}`, eventFacts(sender, attributes))
  return gathering.decoded()
}

function eventFacts(sender: Sender, event: Attributes): Facts {
  const { id, source, subject, time, specversion } = event
  const isNamed = id !== undefined && source !== undefined
  const subjectOrSource = subject ?? source
  return {
    key: [sender.source, subjectOrSource].filter(Boolean).join('/'),
    // A source is a URI reference, so it holds no space.
    id: isNamed ? `${source} ${id}` : undefined,
    time_ms: time === undefined ? undefined : timeMs(time),
    flagged: !isNamed || specversion === undefined,
  }
}

function attributesOf(headers: DrainHeaders): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [header, value] of Object.entries(headers)) {
    const name = ATTRIBUTE.exec(header)?.[1]
    const text = textOf(value)
    if (name !== undefined && text !== undefined) found[name] = percentDecoded(text)
  }
  return found
}

function textOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value
}

/** The HTTP binding (3.1.3.2) percent-encodes what is no printable ASCII; what it cannot be is left as it is. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function memberText(name: string, text: string): string {
  return `${JSON.stringify(name)}:${JSON.stringify(text)}`
}

function dataMember(type: string | undefined, body: Buffer): string {
  const mayBeJson = type === undefined || JSON_TYPE.test(type)
  // In its brackets, because it will be one level deeper in the event.
  const isJson = mayBeJson && soleJsonValue(Buffer.concat([OPEN, body, CLOSE])) !== undefined
  const bounds = isJson ? soleJsonValue(body) : undefined
  if (bounds) return `"data":${body.toString('utf8', ...bounds)}`
  // Under a JSON type a string would be read as a JSON string, so what is no JSON can only be bytes.
  const isText = isUtf8(body) && (type === undefined || /^text\/|[/+]xml/i.test(type))
  return isText
    ? `"data":${JSON.stringify(body.toString())}`
    : `"data_base64":"${body.toString('base64')}"`
}
