import type { TailedRecord } from '../../contract/tails.ts'
import { bodyText } from './body.ts'
import { isRecord, parseMessage, type TailForm, type TailMessage } from './connection.ts'
import { LineCutter } from './lines.ts'

/** A tail as lines of JSON. A record says its offset, not the position; that follows from what came before. */
export const ndjsonForm: TailForm = async function* (request, lifeline) {
  const { position, query } = request
  const resumed = { ...request, query: { ...query, from: position ?? query['from'] } }
  const lines = new LineCutter('\n')
  for await (const text of bodyText(resumed, 'application/x-ndjson', lifeline)) {
    yield* messagesOf(lines.cut(text))
  }
}

/** Records that stand together come together, to be handed on one by one without a wait for each. */
function* messagesOf(lines: readonly string[]): Generator<TailMessage> {
  let records: TailedRecord[] = []
  for (const line of lines) {
    if (line.trim() === '') continue
    const message = parseMessage(line)
    if (isRecord(message)) {
      records.push(message)
      continue
    }
    if (records.length > 0) yield { type: 'records', records }
    records = []
    yield message
  }
  if (records.length > 0) yield { type: 'records', records }
}
