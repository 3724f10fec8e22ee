import { TailControl, TailedRecord, TailRecords } from '../../src/contract/tails.ts'

/** A record of a tail, and its JSON as it came; `position` where the form says one with it. */
export interface TailedText {
  type: 'record'
  text: string
  record: TailedRecord
  position?: string
}
export type TailMessage = TailedText | TailControl

/** One line of NDJSON, or the data of an event: a record, or a control message. */
export function readMessage(text: string, position?: string): TailMessage {
  const parsed = JSON.parse(text) as object
  if ('type' in parsed) return TailControl.parse(parsed)
  return recordOf(text, position)
}

/** A message of a WebSocket: records of one partition, or a control message. */
export function readSocketMessage(text: string): TailMessage[] {
  if (!text.startsWith(RECORDS)) return [TailControl.parse(JSON.parse(text))]
  const texts = elements(text.slice(RECORDS.length))
  const { records, position } = JSON.parse(text) as TailRecords
  TailRecords.parse({ type: 'records', records: records.map(withoutValue), position })
  if (texts.length !== records.length) throw new Error(`not what JSON.parse says: ${text}`)
  return texts.map((one, k) => recordOf(one, k + 1 === texts.length ? position : undefined))
}
const RECORDS = '{"type":"records","records":['

function recordOf(text: string, position: string | undefined): TailedText {
  const record = JSON.parse(text) as TailedRecord
  TailedRecord.parse(withoutValue(record))
  return { type: 'record', text, record, ...(position === undefined ? {} : { position }) }
}

/** 1e400 is JSON, and yet the schema cannot take what JSON.parse makes of it. */
function withoutValue({ value: _, ...rest }: TailedRecord): TailedRecord {
  return rest
}

/** The texts of an array's elements, up to its closing bracket; JSON.parse would bend what is in them. */
function elements(text: string): string[] {
  const found: string[] = []
  let depth = 0
  let from = 0
  for (const { 0: token, index } of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{},]/g)) {
    const isEnd = depth === 0 && (token === ',' || token === ']')
    if (isEnd) found.push(text.slice(from, index))
    if (isEnd && token === ']') return found
    if (isEnd) from = index + 1
    if (token === '[' || token === '{') depth++
    if (token === ']' || token === '}') depth--
  }
  throw new Error(`an array without an end: ${text}`)
}

/** Text in pieces, cut into lines. */
export async function* linesOf(
  pieces: AsyncIterable<Uint8Array>,
  newline: RegExp,
): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let open = ''
  for await (const piece of pieces) {
    const lines = (open + decoder.decode(piece, { stream: true })).split(newline)
    open = lines.pop() ?? ''
    yield* lines
  }
  if (open !== '') throw new Error(`a line without an end: ${open}`)
}

/** Server-sent events as the HTML standard reads them: any of CR, LF and CRLF ends a line. */
export async function* eventsOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<TailMessage> {
  let type = ''
  let data: string[] = []
  let id: string | undefined
  // No CR is ever the last of a piece here: the server writes none, which tests of values with CR prove.
  for await (const line of linesOf(pieces, /\r\n|\r|\n/)) {
    const [, name = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
    if (name === 'data') data.push(value)
    if (name === 'event') type = value
    if (name === 'id') id = value
    if (line !== '') continue
    if (data.length > 0) yield eventMessage(type, data.join('\n'), id)
    type = ''
    data = []
    id = undefined
  }
}

function eventMessage(type: string, data: string, id: string | undefined): TailMessage {
  const message = readMessage(data, id)
  const named = message.type === 'record' ? '' : message.type
  if (type !== named || id !== message.position) {
    throw new Error(`event ${type} with id ${String(id)} says ${data}`)
  }
  return message
}
