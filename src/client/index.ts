/**
 * The typed client: `call(base, produceRecords, { params: { topic }, body })`,
 * for what comes live `tail(base, topic, { from: 'earliest' })`, and to share work
 * `consume(base, { group, topics }, handler)`. Web APIs only.
 */
export { call, CallError, send, type CallOptions } from './call.ts'
export { joinSplitLines } from './drain-lines.ts'
export { consume } from './groups/consume.ts'
export type { ConsumedRecord, ConsumeOptions, RecordHandler } from './groups/options.ts'
export type { TailOptions } from './tails/options.ts'
export type { WebSocketConstructor } from './tails/socket.ts'
export { tail, Tail } from './tails/tail.ts'
export { DrainLine, rawOf } from '../contract/drain-lines.ts'
export * from '../contract/drain-routes.ts'
export * from '../contract/group-routes.ts'
export { getLiveness, getReadiness } from '../contract/health.ts'
export * from '../contract/record-routes.ts'
export { readTopic, tailTopic, tailTopics } from '../contract/tail-routes.ts'
export type { TailControl, TailedRecord } from '../contract/tails.ts'
export type { Problem } from '../contract/openapi.ts'
export type {
  FetchedRecord,
  FetchResponse,
  ProduceRequest,
  ProduceResponse,
} from '../contract/records.ts'
export { createTopic, deleteTopic, getTopic, listTopics, patchTopic } from '../contract/topics.ts'
