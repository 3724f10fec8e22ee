import { place } from './places.ts'
import type { Sent } from './producer.ts'
import type { Piece, RestlessReader } from './restless-reader.ts'
import type { StoredLog, StoredRecord } from './stored-log.ts'

/** What is wrong with the log, given what its producers were told. */
export function judgeLog({ records }: StoredLog, sent: readonly Sent[]): string[] {
  const wrong: string[] = []
  const found = new Map<string, string>()
  for (const [where, list] of records) {
    list.forEach(({ id }, offset) => {
      if (found.has(id)) wrong.push(`${id} is there twice`)
      found.set(id, `${where}:${String(offset)}`)
    })
  }
  for (const { topic, ids, outcome, offsets } of sent) {
    const there = ids.filter((id) => found.has(id)).length
    if (outcome === 'no' && there > 0) wrong.push(`${String(ids[0])} was said to be not written`)
    if (outcome === 'unknown' && there !== 0 && there !== ids.length) {
      wrong.push(`${String(ids[0])} is there in part`)
    }
    if (outcome !== 'ok') continue
    const places = offsets.flatMap(({ partition, base_offset, record_count }) =>
      Array.from(
        { length: record_count },
        (_, k) => `${place(topic, partition)}:${String(base_offset + k)}`,
      ),
    )
    const expected = ids.map((id) => found.get(id) ?? 'lost').sort()
    if (expected.join() !== places.sort().join())
      wrong.push(`${String(ids[0])} is not where it was said`)
  }
  return wrong
}

/** What is wrong with what a reader was given: each record once, in order, byte for byte, or said to be gone. */
export function judgeReader(reader: RestlessReader, log: StoredLog): string[] {
  const wrong = reader.wrong.map((what) => `${reader.name}: ${what}`)
  for (const where of log.places) {
    const begin = reader.begin?.get(where)
    if (begin === undefined) continue
    const starts = log.starts.get(where)!
    const problem = follow(reader, where, begin, log.records.get(where)!, starts)
    if (problem !== undefined) wrong.push(`${reader.name}, ${where}, ${problem}`)
  }
  return wrong
}

function follow(
  { options, pieces }: RestlessReader,
  where: string,
  begin: number,
  records: readonly StoredRecord[],
  starts: ReadonlySet<number>,
): string | undefined {
  const { key, topics } = options
  const [topic = '', partition = ''] = where.split('/')
  const name = topics.length > 1 ? `"topic":"${topic}",` : ''
  // Between tokens, where it would end the event's line.
  const sent = (text: string) => (options.form === 'sse' ? text.replaceAll('\r', ' ') : text)
  const shown = ({ text }: StoredRecord) => `{${name}"partition":${partition},${sent(text)}`
  const isWanted = (record: StoredRecord) => key === undefined || record.key === key
  let at = begin
  /** The first wanted record that is passed over on the way to this offset. */
  const missed = (offset: number) => {
    const index = records.slice(at, offset).findIndex(isWanted)
    return index < 0 ? undefined : `${String(at + index)} was never given`
  }
  for (const piece of [...(pieces.get(where) ?? []), END]) {
    const first = firstOf(piece, records.length)
    if (first < at) return `${String(first)} came a second time, at ${String(at)}`
    const gap = missed(first)
    if (gap !== undefined) return gap
    if (piece.kind === 'truncated') {
      if (!starts.has(piece.log_start_offset))
        return `truncated to ${String(piece.log_start_offset)}`
      if (piece.log_start_offset <= piece.offset)
        return `truncated backwards at ${String(piece.offset)}`
      at = piece.log_start_offset
      continue
    }
    const expected: string[] = []
    for (const offset of piece.offsets) {
      if (offset < at) return `${String(offset)} came out of order`
      const hole = missed(offset)
      if (hole !== undefined) return hole
      expected.push(records[offset] ? shown(records[offset]) : 'nothing')
      at = offset + 1
    }
    if (expected.join() !== piece.text) return `expected ${expected.join()}, got ${piece.text}`
  }
  return undefined
}

const END = { kind: 'records', offsets: [], text: '' } as const

function firstOf(piece: Piece, end: number): number {
  if (piece.kind === 'truncated') return piece.offset
  return piece.offsets[0] ?? end
}
