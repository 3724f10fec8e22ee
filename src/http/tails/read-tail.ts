import type { FastifyRequest } from 'fastify'
import type { TailPoint } from '../../broker/tail-start.ts'
import { looksLikePosition, malformedPosition, parsePosition } from '../../broker/tail-position.ts'
import type { TailInput } from '../../broker/tail.ts'
import { LIMITS } from '../../contract/limits.ts'
import { TopicName } from '../../contract/names.ts'
import { invalidField } from '../../contract/problem-error.ts'
import type { QueryOf } from '../../contract/route.ts'
import type { tailTopic, tailTopics } from '../../contract/tail-routes.ts'
import { parseTimestamp } from '../../records/timestamp.ts'

/** From the query of a tail to what the broker takes. */

type Query = Omit<QueryOf<typeof tailTopics>, 'topics'> & Partial<QueryOf<typeof tailTopic>>

/** A tail of one topic; `from` is where it begins if the caller does not say. */
export function tailOfTopic(
  topic: string,
  query: Query,
  request: FastifyRequest,
  from: TailPoint,
): TailInput {
  return {
    ...optionsOf(query, request, topic, from),
    topics: [topic],
    names_topics: false,
    partitions: query.partitions === undefined ? undefined : readPartitions(query.partitions),
  }
}

/** A tail of several topics. */
export function tailOfTopics(
  query: QueryOf<typeof tailTopics>,
  request: FastifyRequest,
): TailInput {
  const topics = query.topics.split(',')
  for (const topic of topics) {
    if (TopicName.safeParse(topic).success) continue
    throw invalidField('query', '/topics', `${JSON.stringify(topic)} is not a name of a topic`)
  }
  if (topics.length > LIMITS.topics_per_tail) {
    throw invalidField('query', '/topics', `more than ${String(LIMITS.topics_per_tail)} topics`)
  }
  if (new Set(topics).size < topics.length) {
    throw invalidField('query', '/topics', 'names a topic twice')
  }
  const options = optionsOf(query, request, undefined, { kind: 'latest' })
  return { ...options, topics, names_topics: true }
}

function optionsOf(
  query: Query,
  request: FastifyRequest,
  only: string | undefined,
  from: TailPoint,
): Pick<TailInput, 'from' | 'until' | 'max_records' | 'on_truncated'> {
  const lastEventId = request.headers['last-event-id']
  return {
    from:
      typeof lastEventId === 'string' && lastEventId !== ''
        ? readPosition(lastEventId, only, 'header', '/last-event-id')
        : query.from === undefined
          ? from
          : readPoint(query.from, only, '/from', FROM),
    until: query.until === undefined ? undefined : readUntil(query.until, only),
    max_records: query.max_records,
    on_truncated: query.on_truncated,
  }
}

const TIMES = 'RFC 3339 (with T and a zone), epoch milliseconds'
const FROM = `must be earliest, latest, -N (the last N records), ${TIMES}, or a position such as 0:42,1:7`
const UNTIL = `must be latest, ${TIMES} of a time that is past, or a position such as 0:42,1:7`

function readUntil(text: string, only: string | undefined): TailPoint {
  const point = readPoint(text, only, '/until', UNTIL)
  const isPast = point.kind === 'timestamp' && point.timestamp <= Date.now()
  if (point.kind === 'latest' || point.kind === 'position' || isPast) return point
  throw invalidField('query', '/until', UNTIL)
}

function readPoint(
  text: string,
  only: string | undefined,
  pointer: string,
  wanted: string,
): TailPoint {
  if (text === 'earliest' || text === 'latest') return { kind: text }
  if (/^-\d{1,15}$/.test(text)) return { kind: 'last', records: -Number(text) }
  const timestamp = parseTimestamp(text)
  if (timestamp !== undefined) return { kind: 'timestamp', timestamp }
  if (!looksLikePosition(text)) throw invalidField('query', pointer, wanted)
  return readPosition(text, only, 'query', pointer)
}

function readPosition(
  text: string,
  only: string | undefined,
  where: 'query' | 'header',
  pointer: string,
): TailPoint {
  const offsets = parsePosition(text, only)
  if (!offsets) throw malformedPosition(where, pointer)
  return { kind: 'position', offsets }
}

function readPartitions(text: string): number[] {
  const partitions = text.split(',').map(Number)
  if (new Set(partitions).size === partitions.length) return partitions
  throw invalidField('query', '/partitions', 'names a partition twice')
}
