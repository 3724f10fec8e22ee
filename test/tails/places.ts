/** A partition is known as `topic/partition`; a position is the next offset of each. */
export type Positions = Map<string, number>

export const place = (topic: string, partition: number): string => `${topic}/${String(partition)}`

/** Reads `0:42,1:7` of this topic, or `a/0:42,b/0:7` where there is none. */
export function readPosition(text: string, topic: string | undefined): Positions {
  if (text === '') return new Map()
  return new Map(
    text.split(',').map((entry) => {
      const [partition = '', offset] = entry.split(':')
      return [topic === undefined ? partition : `${topic}/${partition}`, Number(offset)]
    }),
  )
}

/** The other way round. */
export function writePosition(positions: Positions, topic: string | undefined): string {
  return [...positions]
    .map(([where, offset]) => {
      const name = topic === undefined ? where : where.slice(topic.length + 1)
      return `${name}:${String(offset)}`
    })
    .join(',')
}
