import { expect } from 'vitest'
import type { TailMessage } from './tail-texts.ts'

/**
 * The position after each message, kept as a reader of NDJSON keeps it: that of `begin`, and from then on
 * counted. Where a message says its position, it must be the same. For tails without a key, which read over
 * what they do not send.
 */
export function positionsAfter(messages: readonly TailMessage[]): string[] {
  let offsets = new Map<string, string>()
  return messages.map((message) => {
    if (message.type === 'record') {
      const { topic, partition, offset } = message.record
      const place = topic === undefined ? String(partition) : `${topic}/${String(partition)}`
      offsets.set(place, String(offset + 1))
    } else if (message.type !== 'up_to_date') offsets = readPosition(message.position)
    const position = [...offsets].map(([place, offset]) => `${place}:${offset}`).join(',')
    expect(message.position ?? position).toBe(position)
    return position
  })
}

function readPosition(position: string): Map<string, string> {
  const entries = position.split(',').filter((entry) => entry !== '')
  return new Map(entries.map((entry) => entry.split(':') as [string, string]))
}
