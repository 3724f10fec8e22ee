import supertest from 'supertest'
import {
  getTopic,
  listTopics,
  produceRecords,
  type ProduceRequest,
} from '../../src/client/index.ts'
import type { ProduceResponse } from '../../src/contract/records.ts'
import { ask } from './answers.ts'

const POSITION = /^\{"offset":\d+,"timestamp":\d+,/

/** The records of a partition as the server wrote them, without offset and timestamp; nothing is parsed. */
export async function storedRecords(url: string, topic: string, partition = 0): Promise<string[]> {
  const lines = await recordLines(url, topic, partition)
  return lines.map((line) => line.replace(POSITION, '{'))
}

/** The records of a partition, one line of text each. */
export async function recordLines(url: string, topic: string, partition = 0): Promise<string[]> {
  const { text } = await supertest(url)
    .get(`/v1/topics/${topic}/partitions/${String(partition)}/records`)
    .query({ max_records: 10_000, max_bytes: 16 * 1024 * 1024 })
    .set('accept', 'application/x-ndjson')
    .expect(200)
  return text === '' ? [] : text.slice(0, -1).split('\n')
}

export function produce(
  url: string,
  topic: string,
  records: ProduceRequest['records'],
): Promise<ProduceResponse> {
  return ask(url, produceRecords, { params: { topic }, body: { records } })
}

/** Sends a body to the records of a topic, as JSON unless it is to be another type. */
export function postRecords(
  url: string,
  topic: string,
  body: string,
  type = 'application/json',
): supertest.Test {
  return supertest(url).post(`/v1/topics/${topic}/records`).set('content-type', type).send(body)
}

/** The end of each partition, in order. */
export async function highWatermarks(url: string, topic: string): Promise<number[]> {
  const { offsets } = await ask(url, getTopic, { params: { topic } })
  return offsets.map(({ high_watermark }) => high_watermark)
}

export async function topicNames(url: string): Promise<string[]> {
  const { topics } = await ask(url, listTopics, { query: { limit: 1000 } })
  return topics.map(({ name }) => name)
}
