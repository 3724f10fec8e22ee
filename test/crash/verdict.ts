import { call } from '../../src/client/call.ts'
import { fetchRecords } from '../../src/contract/record-routes.ts'
import { getTopic } from '../../src/contract/topics.ts'
import type { Sent } from './producers.ts'

interface Read {
  partition: number
  offset: number
  producer: string
  number: number
}

/** What is wrong with the log, given what was sent. All lists empty: nothing. */
export interface Verdict {
  records: number
  lost: Sent[]
  misplaced: Sent[]
  /** Said to be not written, and yet there. */
  denied: Read[]
  twice: Read[]
  out_of_order: Read[]
  gaps: number[]
}

async function readAll(base: string, topic: string): Promise<Read[]> {
  const { partitions } = await call(base, getTopic, { params: { topic } })
  const read: Read[] = []
  for (let partition = 0; partition < partitions; partition++) {
    for (let offset = 0; ;) {
      const page = await call(base, fetchRecords, {
        params: { topic, partition },
        query: { offset },
      })
      for (const record of page.records) {
        const { producer, number } = record.value as { producer: string; number: number }
        read.push({ partition, offset: record.offset, producer, number })
      }
      offset = page.next_offset
      if (offset === page.high_watermark) break
    }
  }
  return read
}

const identity = ({ producer, number }: { producer: string; number: number }) =>
  `${producer}/${String(number)}`

/** Reads the whole log and holds it against what the producers were told. */
export async function judge(base: string, topic: string, sent: readonly Sent[]): Promise<Verdict> {
  const read = await readAll(base, topic)
  const found = new Map<string, Read>()
  const verdict: Verdict = {
    records: read.length,
    lost: [],
    misplaced: [],
    denied: [],
    twice: [],
    out_of_order: [],
    gaps: [],
  }
  const lastOf = new Map<string, number>()
  const nextOf = new Map<number, number>()
  for (const record of read) {
    if (found.has(identity(record))) verdict.twice.push(record)
    found.set(identity(record), record)
    if ((lastOf.get(record.producer) ?? -1) >= record.number) verdict.out_of_order.push(record)
    lastOf.set(record.producer, record.number)
    if (record.offset !== (nextOf.get(record.partition) ?? 0)) verdict.gaps.push(record.offset)
    nextOf.set(record.partition, record.offset + 1)
  }
  for (const one of sent) {
    const record = found.get(identity(one))
    if (one.outcome === 'ok' && !record) verdict.lost.push(one)
    if (
      one.outcome === 'ok' &&
      record &&
      (record.offset !== one.offset || record.partition !== one.partition)
    ) {
      verdict.misplaced.push(one)
    }
    if (one.outcome === 'no' && record) verdict.denied.push(record)
  }
  return verdict
}
