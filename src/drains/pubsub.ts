import * as json from '../records/scan-json.ts'
import type { Decoded, Sender } from './decoded.ts'
import { base64Data } from './base64-data.ts'
import { Gathering, keyOf, type Facts } from './gathering.ts'
import { addJsonEvents, addValue } from './json-events.ts'
import { Members, stringAt } from './members.ts'
import { timeMs } from './line-time.ts'
import { soleJsonValue } from './json-values.ts'

/** Members of a push; the names with an underscore are those of its older form, sent beside the others. */
const PUSH = new Members({
  subscription: ['subscription'],
  delivery: ['deliveryAttempt'],
  id: ['message.messageId', 'message.message_id'],
  published: ['message.publishTime', 'message.publish_time'],
  ordering: ['message.orderingKey', 'message.ordering_key'],
  data: ['message.data'],
})

/** Does a body hold `{"message":{"messageId",...},"subscription"}`? `at`: where its first byte is. */
export function isPubsubPush(body: Buffer, at: number): boolean {
  // A push is one object of at most 10 MB; a look at all members is worth it only where these names are.
  if (body[at] !== json.OPEN_BRACE || !body.includes('"subscription"')) return false
  if (soleJsonValue(body) === undefined) return false
  const push = PUSH.read(body, at)
  return push.subscription !== undefined && push.id !== undefined
}

/**
 * A push of Google Cloud Pub/Sub: one record. Its value is the data, if that is JSON, and `{"message":...}` of it
 * otherwise; the message's attributes are its headers, beside those that begin with `pubsub_`; messageId is its id.
 */
export function decodePubsub(body: Buffer, sender: Sender): Decoded {
  const gathering = new Gathering()
  const bounds = soleJsonValue(body)
  const push = bounds ? PUSH.read(body, bounds[0]) : {}
  if (!bounds || push.id === undefined) {
    addJsonEvents(gathering, body, sender, 'json')
    return gathering.decoded()
  }
  const facts: Facts = {
    key: keyOf(sender, push.ordering ? undefined : push.subscription, push.ordering),
    id: push.id,
    time_ms: push.published === undefined ? undefined : timeMs(push.published),
    headers: {
      ...attributes(body, bounds[0]),
      pubsub_message_id: push.id,
      ...(push.published === undefined ? {} : { pubsub_publish_time: push.published }),
      ...(push.subscription === undefined ? {} : { pubsub_subscription: push.subscription }),
      ...(push.delivery === undefined ? {} : { pubsub_delivery_attempt: push.delivery }),
    },
  }
  addData(gathering, push.data ?? '', facts)
  return gathering.decoded()
}

function addData(gathering: Gathering, text: string, facts: Facts): void {
  const data = base64Data(text)
  const bounds = data && soleJsonValue(data)
  if (data === undefined) gathering.addText(Buffer.from(text), ['not_base64'], facts)
  else if (bounds) addValue(gathering, data.subarray(...bounds), facts)
  else gathering.addText(data, [], facts)
}

/** The message's attributes: an object of strings. */
function attributes(body: Buffer, start: number): Record<string, string> {
  // Without a prototype, so that an attribute may be called __proto__.
  const found = Object.create(null) as Record<string, string>
  const readMember = (nameStart: number, nameEnd: number, at: number): number => {
    const end = json.skipValue(body, at)
    if (body[at] === json.QUOTE) found[stringAt(body, nameStart, nameEnd)] = stringAt(body, at, end)
    return end
  }
  const readNested = (way: readonly string[], into: number): number =>
    json.eachMember(body, into, (nameStart, nameEnd, at) => {
      const isNext = body[at] === json.OPEN_BRACE && stringAt(body, nameStart, nameEnd) === way[0]
      if (!isNext) return json.skipValue(body, at)
      return way.length === 1 ? json.eachMember(body, at, readMember) : readNested(way.slice(1), at)
    })
  readNested(['message', 'attributes'], start)
  return found
}
