import { ProblemError } from '../../contract/problem-error.ts'
import { decodeBinaryCloudEvent, decodeCloudEvents } from '../../drains/cloud-events.ts'
import type { Decoded, Sender } from '../../drains/decoded.ts'
import { decodeFirehose } from '../../drains/firehose.ts'
import type { DrainFormat, DrainHeaders } from '../../drains/format.ts'
import { decodeJsonEvents } from '../../drains/json-events.ts'
import { decodeLogplex, decodeSyslogText } from '../../drains/logplex.ts'
import { decodePubsub } from '../../drains/pubsub.ts'
import { decodeTextLines } from '../../drains/text-lines.ts'
import { decodeVercel } from '../../drains/vercel.ts'
import { gunzipper } from './inflate.ts'

/** A sender's request, its body decompressed. */
export interface Sent {
  format: DrainFormat
  headers: DrainHeaders
  body: Buffer
  sender: Sender
}

/** A header that stands once. */
export function headerOf(headers: DrainHeaders, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** The records of a request, by the codec of its format. */
export function decode({ format, headers, body, sender }: Sent): Decoded {
  switch (format) {
    case 'logplex':
      return decodeLogplex(body, sender, {
        is_logplex: isFromLogplex(headers),
        dropped: countIn(headers, 'logplex-drop-count'),
        lost: countIn(headers, 'logplex-lost-count'),
      })
    case 'json':
    case 'ndjson':
      return decodeJsonEvents(body, sender, format)
    case 'text':
      return decodeTextLines(body, sender, (message) => lineOf(message, sender))
    case 'vercel':
      return decodeVercel(body, sender)
    case 'cloudevents_structured':
    case 'cloudevents_batch':
      return decodeCloudEvents(body, sender)
    case 'cloudevents_binary':
      return decodeBinaryCloudEvent(headers, body, sender)
    case 'firehose':
      return decodeFirehose(body, sender, gunzipper())
    case 'pubsub':
      return decodePubsub(body, sender)
    case 'unsupported':
      throw unsupported(headers)
  }
}

/** Its messages have no structured data, whatever they look like. */
function isFromLogplex(headers: DrainHeaders): boolean {
  return headers['logplex-drain-token'] !== undefined || headers['logplex-frame-id'] !== undefined
}

function countIn(headers: DrainHeaders, name: string): number | undefined {
  const count = headerOf(headers, name)
  return count !== undefined && /^\d{1,15}$/.test(count) ? Number(count) : undefined
}

function lineOf(message: Buffer, sender: Sender): string {
  return decodeSyslogText(message, sender).records[0] ?? ''
}

function unsupported(headers: DrainHeaders): ProblemError {
  const type = headerOf(headers, 'content-type') ?? 'none'
  return new ProblemError(
    'unsupported_media_type',
    `Content-Type ${type} is not one that drains read.`,
    {
      written: 'no',
      errors: [{ in: 'header', pointer: '/content-type', detail: 'is not known here' }],
      hint: 'Let the sender write JSON or NDJSON; with Fluent Bit, set format to json.',
    },
  )
}
