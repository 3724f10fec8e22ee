import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { murmur2, partitionOf } from '../../src/broker/partitioner.ts'

/** From org.apache.kafka.common.utils.UtilsTest.testMurmur2. */
const KAFKAS_VECTORS: [string, number][] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
]

/** The algorithm as Kafka writes it, in whole numbers of any size. */
function slowMurmur2(bytes: Uint8Array): number {
  const M = 0x5bd1e995n
  const mask = 0xffffffffn
  let hash = 0x9747b28cn ^ BigInt(bytes.length)
  const whole = bytes.length - (bytes.length % 4)
  for (let at = 0; at < whole; at += 4) {
    let k = BigInt(Buffer.from(bytes).readUInt32LE(at))
    k = (k * M) & mask
    k = ((k ^ (k >> 24n)) * M) & mask
    hash = ((hash * M) & mask) ^ k
  }
  const rest = [...bytes.subarray(whole)]
  rest.forEach((byte, index) => (hash ^= BigInt(byte) << BigInt(8 * index)))
  if (rest.length > 0) hash = (hash * M) & mask
  hash = ((hash ^ (hash >> 13n)) * M) & mask
  return Number(BigInt.asIntN(32, hash ^ (hash >> 15n)))
}

describe('murmur2', () => {
  it.each(KAFKAS_VECTORS)("of %s is Kafka's", (key, expected) => {
    expect(murmur2(Buffer.from(key))).toBe(expected)
    expect(slowMurmur2(Buffer.from(key))).toBe(expected)
  })

  it('of any bytes is that of the algorithm written slowly', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 33 }), (bytes) => {
        expect(murmur2(bytes)).toBe(slowMurmur2(bytes))
      }),
      { seed: 7070, numRuns: 500 },
    )
  })

  it('reads the given range only', () => {
    const bytes = Buffer.from('xxfoobarxx')
    expect(murmur2(bytes, 2, 8)).toBe(murmur2(Buffer.from('foobar')))
    expect(murmur2(bytes, 2, 2)).toBe(murmur2(Buffer.alloc(0)))
  })
})

describe('partitionOf', () => {
  it('is what the sign bit leaves, modulo the partitions', () => {
    for (const [key, hash] of KAFKAS_VECTORS) {
      for (const partitions of [1, 2, 3, 7, 1000]) {
        const positive = hash < 0 ? hash + 2 ** 31 : hash
        expect(partitionOf(Buffer.from(key), partitions)).toBe(positive % partitions)
      }
    }
  })

  it('reaches every partition', () => {
    const keys = Array.from({ length: 1000 }, (_, index) => Buffer.from(`key-${String(index)}`))
    expect(new Set(keys.map((key) => partitionOf(key, 12))).size).toBe(12)
  })
})
