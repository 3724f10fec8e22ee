import { LIMITS } from '../contract/limits.ts'

/** How the bytes of a record's key stand in the body. */
export const KeyForm = { none: 0, plain: 1, escaped: 2, base64: 3 } as const

const CAPACITY = LIMITS.records_per_request

/**
 * The records of one request, column by column: where each one's stored line lies in the body, and what
 * decides its partition. Typed arrays rather than an object a record: 10,000 records cost no garbage.
 *
 * There is one table per process and it is valid until the next request is parsed. Parsing, choosing
 * partitions and packing happen in one synchronous stretch, so nothing can come between.
 */
export class RecordTable {
  source: Buffer = Buffer.alloc(0)
  count = 0
  /** Where the record now being read stands in the body, for errors: prefix and number make a JSON Pointer. */
  pointer_prefix = '/'
  position = 0
  /** Stored line of record i: source[line_start, line_end), or rebuilt[i] where that is set. */
  readonly line_start = new Int32Array(CAPACITY)
  readonly line_end = new Int32Array(CAPACITY)
  /** Lines that could not be taken over as they were sent. */
  readonly rebuilt = new Map<number, Buffer>()
  /** Content of the key's string, without its quotes: source[key_start, key_end). */
  readonly key_start = new Int32Array(CAPACITY)
  readonly key_end = new Int32Array(CAPACITY)
  readonly key_form = new Uint8Array(CAPACITY)
  /** Explicit partition, or -1. */
  readonly partition = new Int32Array(CAPACITY)
  /** Epoch ms given by the client, or -1. */
  readonly timestamp = new Float64Array(CAPACITY)

  reset(source: Buffer, pointerPrefix: string): this {
    this.source = source
    this.pointer_prefix = pointerPrefix
    this.position = 0
    this.count = 0
    this.rebuilt.clear()
    return this
  }

  /** JSON Pointer to the record now being read. */
  pointer(): string {
    return `${this.pointer_prefix}${String(this.position)}`
  }

  /** Adds a record without a key, partition or timestamp; the caller fills in what there is. */
  add(lineStart: number, lineEnd: number): number {
    const index = this.count++
    this.line_start[index] = lineStart
    this.line_end[index] = lineEnd
    this.key_form[index] = KeyForm.none
    this.partition[index] = -1
    this.timestamp[index] = -1
    return index
  }

  /** Bytes of record i's line, without the newline that ends it. */
  lineLength(index: number): number {
    const rebuilt = this.rebuilt.get(index)
    return rebuilt ? rebuilt.length : (this.line_end[index] ?? 0) - (this.line_start[index] ?? 0)
  }

  line(index: number): Buffer {
    return (
      this.rebuilt.get(index) ?? this.source.subarray(this.line_start[index], this.line_end[index])
    )
  }

  /** The bytes of record i's key, or undefined where it has none. */
  key(index: number): Buffer | undefined {
    const content = this.source.subarray(this.key_start[index], this.key_end[index])
    const form = this.key_form[index]
    if (form === KeyForm.plain) return content
    if (form === KeyForm.escaped)
      return Buffer.from(JSON.parse(`"${content.toString()}"`) as string)
    if (form === KeyForm.base64) {
      return Buffer.from(content.toString('latin1').replaceAll('\\/', '/'), 'base64')
    }
    return undefined
  }
}

export const recordTable = new RecordTable()
