/** Names a partition, for people and in positions: `topic/partition`. */
export function placeOf(topic: string, partition: number): string {
  return `${topic}/${String(partition)}`
}
