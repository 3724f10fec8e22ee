import { isUtf8 } from 'node:buffer'
import { LIMITS } from '../contract/limits.ts'
import type { Decoded, Seen, Sender } from './decoded.ts'
import { soleJsonValue } from './json-values.ts'
import { cutForJson, jsonPieceValue, partId, textValue, type Part } from './content-pieces.ts'

/** What is known of an event beside its value. */
export interface Facts {
  key?: string | undefined
  headers?: Readonly<Record<string, string>> | undefined
  /** What the sender calls the event. */
  id?: string | undefined
  /** When it happened, in epoch ms. */
  time_ms?: number | undefined
  /** It was not understood, or is not as announced. */
  flagged?: boolean | undefined
}

/** Longer keys are cut: nobody tells sources apart by more, and the value has it all. */
const KEY_CHARS = 512
/** Headers up to this size leave room for the rest of a record; what is longer moves into the value. */
const HEADERS_BYTES = 64 * 1024
/** Member names, flags and part beside the key (of at most 6 bytes a character) and the content. */
const ENVELOPE_BYTES = 6 * KEY_CHARS + 1024
const SOURCES = 300
/** A body of 64 MiB may be 32 million lines of one byte, whose records would take 3 GB of memory. */
const MOST_RECORDS = 1_000_000

/** The key of an event: the sender's label, or else the event's own app; then its process. */
export function keyOf(
  sender: Sender,
  app: string | undefined,
  process: string | undefined,
): string | undefined {
  const parts = [sender.source ?? app, process].filter(Boolean)
  return parts.length > 0 ? parts.join('/') : undefined
}

/** Gathers the records of one body, and what is told of them; cuts what is too long for one record. */
export class Gathering {
  private readonly records: string[] = []
  private readonly ids: string[] = []
  private readonly heads = new Map<string, string>()
  private readonly sources = new Set<string>()
  private lines = 0
  private flagged = 0
  private newest_ms: number | undefined
  /** Becomes false with the first event that has no id. */
  private namesAll = true

  /** Adds an event whose value is this JSON text; newlines between its tokens become spaces. */
  addJson(text: string, facts: Facts = {}): void {
    const { headers, value, room } = placeHeaders(text, facts.headers)
    this.note(facts)
    // A string of n units has at most 3n bytes.
    if (value.length * 3 <= room || Buffer.byteLength(value) <= room) {
      this.push(value.replaceAll('\n', ' '), headers, facts)
      return
    }
    const content = Buffer.from(value)
    this.pushPieces(content, room, (piece, part) => {
      this.push(jsonPieceValue(piece, part), headers, facts, part)
    })
  }

  /** Adds what is not JSON, as text, or as bytes where it is not UTF-8. */
  addText(bytes: Buffer, flags: readonly string[], facts: Facts = {}): void {
    const { headers, room } = placeHeaders('', facts.headers)
    const flagged = flags.length > 0 || !isUtf8(bytes)
    if (facts.headers && headers === '') {
      this.addJson(textValue(bytes, flags), { ...facts, flagged })
      return
    }
    this.note({ ...facts, flagged })
    if (bytes.length * 8 <= room) {
      this.push(textValue(bytes, flags), headers, facts)
      return
    }
    this.pushPieces(bytes, room, (piece, part) => {
      const isWhole = part.of === 1
      const value = isWhole ? textValue(piece, flags) : textValue(piece, [...flags, 'cut'], part)
      this.push(value, headers, facts, part)
    })
  }

  /** Adds a record that another codec has made. */
  addRecord(record: string, facts: Facts = {}): void {
    this.note(facts)
    this.name(facts.id)
    this.records.push(record)
  }

  /** Is what comes from now on to be added as one piece of text (addRest)? */
  isFull(): boolean {
    return this.records.length >= MOST_RECORDS
  }

  /** Adds what is left of a body of too many lines: text as it is, flagged `not_split`. */
  addRest(bytes: Buffer, facts: Facts = {}): void {
    this.addText(bytes, ['not_split'], facts)
  }

  decoded(): Decoded {
    const { lines, flagged, sources, newest_ms } = this
    const seen: Seen = { lines, dropped: 0, flagged, looped: 0, sources, newest_ms }
    const named = this.namesAll && this.records.length > 0
    return { records: this.records, seen, ...(named ? { ids: this.ids } : {}) }
  }

  private note({ key, time_ms, flagged }: Facts): void {
    this.lines++
    if (flagged) this.flagged++
    if (key && this.sources.size < SOURCES) this.sources.add(shortKey(key))
    if (time_ms !== undefined && !(time_ms <= (this.newest_ms ?? -Infinity))) {
      this.newest_ms = time_ms
    }
  }

  private pushPieces(
    content: Buffer,
    room: number,
    push: (piece: Buffer, part: Part) => void,
  ): void {
    const pieces = cutForJson(content, room)
    const id = pieces.length > 1 ? partId(content) : ''
    pieces.forEach((piece, index) => push(piece, { id, index, of: pieces.length }))
  }

  private push(value: string, headers: string, { key, id }: Facts, part?: Part): void {
    const isPiece = part !== undefined && part.of > 1
    this.name(isPiece && id !== undefined ? `${id}#${part.index}` : id)
    this.records.push(`${this.head(key)}${value}${headers}}`)
  }

  private name(id: string | undefined): void {
    if (id === undefined) this.namesAll = false
    else this.ids.push(id)
  }

  /** `{"key":"...","value":`; a body has few keys and many events. */
  private head(key: string | undefined): string {
    if (!key) return '{"value":'
    let head = this.heads.get(key)
    if (head === undefined) {
      head = `{"key":${JSON.stringify(shortKey(key))},"value":`
      if (this.heads.size < SOURCES) this.heads.set(key, head)
    }
    return head
  }
}

function shortKey(key: string): string {
  return key.slice(0, KEY_CHARS).toWellFormed()
}

/**
 * The headers as the end of a record, and how many bytes are left for what goes into its value. Headers that are
 * too many or too long become a member of the value, so that nothing of them is lost.
 */
function placeHeaders(
  value: string,
  headers: Readonly<Record<string, string>> | undefined,
): { headers: string; value: string; room: number } {
  const room = LIMITS.drain_record_bytes - ENVELOPE_BYTES
  if (headers === undefined) return { headers: '', value, room }
  const text = JSON.stringify(headers)
  const bytes = Buffer.byteLength(text)
  if (bytes <= HEADERS_BYTES && Object.keys(headers).length <= LIMITS.headers_per_record) {
    return { headers: `,"headers":${text}`, value, room: room - bytes }
  }
  return { headers: '', value: value && inOneValue(text, value), room }
}

function inOneValue(headers: string, value: string): string {
  const together = `{"headers":${headers},"value":${value}}`
  // One level more may be more than a record may have.
  if (soleJsonValue(Buffer.from(together))) return together
  return `{"headers":${headers},"json":${JSON.stringify(value)}}`
}
