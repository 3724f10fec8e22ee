/* eslint-disable @typescript-eslint/no-non-null-assertion -- indexes stay inside the given range */

const SEED = 0x9747b28c
const M = 0x5bd1e995
const R = 24

/**
 * murmur2 of bytes[from, to), as a signed 32-bit number: the hash of Kafka's own clients
 * (org.apache.kafka.common.utils.Utils.murmur2), so a key lands where Kafka would put it.
 */
export function murmur2(bytes: Uint8Array, from = 0, to = bytes.length): number {
  const length = to - from
  let hash = SEED ^ length
  let at = from
  for (; at + 4 <= to; at += 4) {
    let k = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    k = Math.imul(k, M)
    k = Math.imul(k ^ (k >>> R), M)
    hash = Math.imul(hash, M) ^ k
  }
  const rest = to - at
  if (rest > 2) hash ^= bytes[at + 2]! << 16
  if (rest > 1) hash ^= bytes[at + 1]! << 8
  if (rest > 0) hash = Math.imul(hash ^ bytes[at]!, M)
  hash = Math.imul(hash ^ (hash >>> 13), M)
  return hash ^ (hash >>> 15)
}

/** The partition of a key among `partitions`. */
export function partitionOf(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions
}
