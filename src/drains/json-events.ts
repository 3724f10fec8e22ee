/* eslint-disable @typescript-eslint/no-non-null-assertion -- indexes are inside what was scanned before */
import { isUtf8 } from 'node:buffer'
import * as json from '../records/scan-json.ts'
import type { Decoded, Sender } from './decoded.ts'
import { eventFacts } from './event-facts.ts'
import { timeMs } from './line-time.ts'
import { Gathering, type Facts } from './gathering.ts'
import { eachJsonValue, timedEvent, type JsonForm } from './json-values.ts'

/**
 * JSON as Vector, Fluent Bit, Fly, Dokku, Netlify, Cloudflare and syslog-ng send it: an array, an object, NDJSON,
 * objects one after the other. Each object or array is the value of one record, its text as it was sent; a string,
 * number, true, false or null becomes `{"message":...}`. Of Fluent Bit's `[time, {event}]` the event is the value
 * and the time a header, `event_time`. What is not JSON is kept as text, flagged `not_json`.
 */
export function decodeJsonEvents(body: Buffer, sender: Sender, form: JsonForm): Decoded {
  const gathering = new Gathering()
  addJsonEvents(gathering, body, sender, form)
  return gathering.decoded()
}

/** The same, into what is gathered from several bodies. `facts`: what is known of all of them. */
export function addJsonEvents(
  gathering: Gathering,
  body: Buffer,
  sender: Sender,
  form: JsonForm,
): void {
  readJson(gathering, body, sender, {
    form,
    value: (from, to) => addJsonEvent(gathering, body, sender, [from, to]),
  })
}

/** Reads JSON of which the caller adds the values; what is not JSON is added as text. */
export function readJson(
  gathering: Gathering,
  body: Buffer,
  sender: Sender,
  { form, value }: { form: JsonForm; value: (from: number, to: number) => void },
): void {
  const facts = { key: sender.source }
  eachJsonValue(body, form, {
    value,
    text: (from, to) => gathering.addText(body.subarray(from, to), ['not_json'], facts),
    rest: (from, to) => gathering.addRest(body.subarray(from, to), facts),
    isFull: () => gathering.isFull(),
  })
}

/** Adds one JSON value of a body as an event. */
export function addJsonEvent(
  gathering: Gathering,
  body: Buffer,
  sender: Sender,
  [from, to]: readonly [from: number, to: number],
): void {
  const timed = timedEvent(body, from)
  if (!timed) {
    addValue(gathering, body.subarray(from, to), eventFacts(sender, body, from))
    return
  }
  const time = body.toString('latin1', ...timed.time)
  const headers: Record<string, string> = { event_time: time }
  const [start, end] = timed.metadata ?? [0, 0]
  if (end - start > '{}'.length) headers['event_metadata'] = body.toString('utf8', start, end)
  const facts = eventFacts(sender, body, timed.event[0])
  addValue(gathering, body.subarray(...timed.event), {
    ...facts,
    headers,
    time_ms: facts.time_ms ?? timeMs(time),
  })
}

/** Adds JSON as a value; a scalar as the message of one. What is not UTF-8 is not JSON, and kept as bytes. */
export function addValue(gathering: Gathering, value: Buffer, facts: Facts): void {
  const first = value[0]!
  const isContainer = first === json.OPEN_BRACE || first === json.OPEN_BRACKET
  const text = value.toString()
  // Replacement characters may have been sent; only then is it worth a look.
  if (text.includes('\ufffd') && !isUtf8(value)) gathering.addText(value, [], facts)
  else gathering.addJson(isContainer ? text : `{"message":${text}}`, facts)
}
