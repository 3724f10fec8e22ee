import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTopic, getTopic, patchTopic } from '../../src/client/index.ts'
import { ask } from '../support/answers.ts'
import { highWatermarks, produce, storedRecords } from '../support/records.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

const DEFAULT = { max_record_bytes: 1_048_576 }

describe('PATCH /v1/topics/{topic}', () => {
  it('adds partitions; what is stored stays where it is', async () => {
    const params = { topic: 'growing' }
    await ask(server.url, createTopic, { body: { name: 'growing', partitions: 2 } })
    await produce(server.url, 'growing', [{ value: 'old', partition: 1 }])
    const topic = await ask(server.url, patchTopic, { params, body: { partitions: 4 } })
    expect(topic.offsets).toEqual([
      { partition: 0, log_start_offset: 0, high_watermark: 0 },
      { partition: 1, log_start_offset: 0, high_watermark: 1 },
      { partition: 2, log_start_offset: 0, high_watermark: 0 },
      { partition: 3, log_start_offset: 0, high_watermark: 0 },
    ])
    expect(await ask(server.url, getTopic, { params })).toEqual(topic)
    await produce(server.url, 'growing', [{ value: 'new', partition: 3 }])
    expect(await highWatermarks(server.url, 'growing')).toEqual([0, 1, 0, 1])
    expect(await storedRecords(server.url, 'growing', 1)).toEqual(['{"value":"old"}'])
  })

  it('sets a setting, leaves what is absent, and restores a default by null', async () => {
    const params = { topic: 'set' }
    await ask(server.url, createTopic, { body: { name: 'set', partitions: 2 } })
    const bodies = [
      [{ config: { max_record_bytes: 2000 } }, { max_record_bytes: 2000 }],
      [{}, { max_record_bytes: 2000 }],
      [{ config: {} }, { max_record_bytes: 2000 }],
      [{ partitions: 3 }, { max_record_bytes: 2000 }],
      [{ config: { max_record_bytes: null } }, DEFAULT],
      [{ config: { max_record_bytes: null } }, DEFAULT],
      [{ partitions: 3, config: { max_record_bytes: 10 } }, { max_record_bytes: 10 }],
    ] as const
    for (const [body, config] of bodies) {
      const topic = await ask(server.url, patchTopic, { params, body })
      expect(topic.config).toEqual(config)
      expect((await ask(server.url, getTopic, { params })).config).toEqual(config)
    }
    expect((await ask(server.url, getTopic, { params })).partitions).toBe(3)
  })

  it('by many at once ends with the most partitions, each there once', async () => {
    const params = { topic: 'race' }
    await ask(server.url, createTopic, { body: { name: 'race' } })
    // Each raises only if it is its turn: those who come too late are refused, which is well.
    await Promise.allSettled(
      [2, 3, 5, 8, 8].map((partitions) =>
        ask(server.url, patchTopic, { params, body: { partitions } }),
      ),
    )
    const { offsets, partitions } = await ask(server.url, getTopic, { params })
    expect(partitions).toBe(8)
    expect(offsets.map(({ partition }) => partition)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })
})
