/**
 * The typed client: `call(base, produceRecords, { params: { topic }, body })`,
 * and for what comes live `tail(base, topic, { from: 'earliest' })`. Web APIs only.
 */
export { call, CallError, send, type CallOptions } from './call.ts'
export type { TailOptions } from './tails/options.ts'
export type { WebSocketConstructor } from './tails/socket.ts'
export { tail, Tail } from './tails/tail.ts'
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
