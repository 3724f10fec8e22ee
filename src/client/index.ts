/** The typed client: `call(base, produceRecords, { params: { topic }, body })`. Web APIs only. */
export { call, CallError, send, type CallOptions } from './call.ts'
export { getLiveness, getReadiness } from '../contract/health.ts'
export * from '../contract/record-routes.ts'
export type { Problem } from '../contract/openapi.ts'
export type {
  FetchedRecord,
  FetchResponse,
  ProduceRequest,
  ProduceResponse,
} from '../contract/records.ts'
export { createTopic, deleteTopic, getTopic, listTopics, patchTopic } from '../contract/topics.ts'
