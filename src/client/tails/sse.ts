import { bodyText } from './body.ts'
import {
  isRecord,
  parseMessage,
  type TailForm,
  type TailMessage,
  type TailRequest,
} from './connection.ts'
import { EventStreamParser, type ServerEvent } from './event-stream.ts'

/** A tail as server-sent events, each with the position behind it as its id. */
export const sseForm: TailForm = async function* (request, lifeline) {
  const events = new EventStreamParser()
  for await (const text of bodyText(resumed(request), 'text/event-stream', lifeline)) {
    for (const event of events.read(text)) yield messageOf(event)
  }
}

function resumed(request: TailRequest): TailRequest {
  const { headers, position } = request
  if (position === undefined) return request
  return { ...request, headers: { ...headers, 'last-event-id': position } }
}

function messageOf({ data, id: position }: ServerEvent): TailMessage {
  if (data === '') return { type: 'records', records: [], position }
  const message = parseMessage(data)
  return isRecord(message) ? { type: 'records', records: [message], position } : message
}
