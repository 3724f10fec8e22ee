import { invalidField } from '../contract/problem-error.ts'
import { TailPosition } from '../contract/tails.ts'
import { placeOf } from './place.ts'

/** One partition's next offset. */
export interface PartitionPosition {
  topic: string
  partition: number
  offset: number
}

/** A position's text: `0:42,1:7`, with `topic/` in front of each where a tail has several topics. */
export function formatPosition(
  positions: readonly PartitionPosition[],
  namesTopics: boolean,
): string {
  return positions
    .map(({ topic, partition, offset }) => {
      const place = `${String(partition)}:${String(offset)}`
      return namesTopics ? `${topic}/${place}` : place
    })
    .join(',')
}

/** Does this text mean a position, rather than a time or a word? */
export function looksLikePosition(text: string): boolean {
  return TailPosition.safeParse(text).success
}

/**
 * Reads a position: the offset by place. `only` is the topic of entries that name none. Undefined where it
 * is malformed.
 */
export function parsePosition(
  text: string,
  only: string | undefined,
): Map<string, number> | undefined {
  if (!looksLikePosition(text)) return undefined
  const offsets = new Map<string, number>()
  for (const entry of text.split(',')) {
    const [, topic = only, partition, offset] = ENTRY.exec(entry) ?? []
    if (topic === undefined || !Number.isSafeInteger(Number(offset))) return undefined
    const place = placeOf(topic, Number(partition))
    if (offsets.has(place)) return undefined
    offsets.set(place, Number(offset))
  }
  return offsets
}
const ENTRY = /^(?:(.*)\/)?(\d+):(\d+)$/

export function malformedPosition(
  where: 'query' | 'header',
  pointer: string,
): ReturnType<typeof invalidField> {
  return invalidField(
    where,
    pointer,
    'must be a position as a tail gives it, partition:offset with commas between, e.g. 0:42,1:7 ' +
      '(topic/partition:offset on a tail of several topics), each partition once',
  )
}
