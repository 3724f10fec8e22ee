import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic, produceRecords } from '../../src/client/index.ts'
import { ask, expectAnswer } from '../support/answers.ts'
import { highWatermarks, postRecords, produce, storedRecords } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

const PARTITIONS = 12

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  for (const name of ['keys', 'unkeyed', 'together']) {
    await ask(server.url, createTopic, { body: { name, partitions: PARTITIONS } })
  }
})
afterAll(() => server.stop())

/** org.apache.kafka.common.utils.UtilsTest.testMurmur2, and the hash of no bytes. */
const MURMUR2: readonly [string, number][] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
  ['', 275646681],
]

async function partitionOf(record: string): Promise<number> {
  const response = await postRecords(server.url, 'keys', `{"records":[${record}]}`)
  const { offsets } = await expectAnswer(produceRecords, response)
  expect(offsets).toHaveLength(1)
  return offsets[0]!.partition
}

/** Every character as \uXXXX. */
function escaped(key: string): string {
  const code = (char: string) => char.charCodeAt(0).toString(16).padStart(4, '0')
  return [...key].map((char) => `\\u${code(char)}`).join('')
}

describe('a key decides the partition, as in Kafka', () => {
  it.each(MURMUR2)('%j', async (key, hash) => {
    const expected = (hash & 0x7fffffff) % PARTITIONS
    const base64 = Buffer.from(key).toString('base64')
    expect(await partitionOf(`{"key":${JSON.stringify(key)},"value":1}`)).toBe(expected)
    expect(await partitionOf(`{"value":1,"key":"${escaped(key)}"}`)).toBe(expected)
    expect(await partitionOf(`{"key_base64":"${base64}","value":1}`)).toBe(expected)
    const short = await supertest(server.url).post('/t/keys').query({ key }).type('text').send('1')
    expect((await expectAnswer(produceRecords, short)).offsets[0]!.partition).toBe(expected)
  })

  it('is hashed over its UTF-8 bytes, however it is spelled', async () => {
    const spellings = [
      '{"key":"é/😀"',
      '{"key":"\\u00e9\\/\\ud83d\\ude00"',
      '{"key_base64":"w6kv8J+YgA=="',
    ]
    const partitions = await Promise.all(spellings.map((text) => partitionOf(`${text},"value":1}`)))
    expect(new Set(partitions).size).toBe(1)
  })

  it('unless a partition is named', async () => {
    expect(await partitionOf('{"key":"21","partition":0,"value":1}')).toBe(0)
    expect(await partitionOf('{"partition":11,"key":"21","value":1}')).toBe(11)
  })
})

describe('records without a key', () => {
  it('of one request stay together, beside those with one', async () => {
    const records = [{ value: 1 }, { key: 'abc', value: 2 }, { key: null, value: 3 }, { value: 4 }]
    const { offsets } = await produce(server.url, 'together', records)
    const stored = await Promise.all(
      offsets.map(({ partition }) => storedRecords(server.url, 'together', partition)),
    )
    // The one with a key may be among them by chance.
    const unkeyed = stored.find((texts) => texts.includes('{"value":1}'))
    expect(unkeyed?.filter((text) => !text.includes('abc'))).toEqual([
      '{"value":1}',
      '{"key":null,"value":3}',
      '{"value":4}',
    ])
  })

  it('take turns over the partitions, request by request', async () => {
    for (let request = 0; request < 2 * PARTITIONS; request++) {
      const { offsets } = await produce(server.url, 'unkeyed', [{ value: 1 }, { value: 2 }])
      expect(offsets).toHaveLength(1)
    }
    expect(await highWatermarks(server.url, 'unkeyed')).toEqual(Array(PARTITIONS).fill(4))
  })
})
