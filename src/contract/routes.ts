import {
  createDrain,
  deleteDrain,
  getDrain,
  getDrainMetrics,
  listDrains,
  probeDrain,
  receiveFrame,
  receiveTelemetry,
  rotateDrain,
} from './drain-routes.ts'
import {
  commitOffsets,
  deleteGroup,
  getGroup,
  heartbeatGroup,
  joinGroup,
  leaveGroup,
  listGroups,
  nextRecords,
  pollGroup,
  resetGroup,
} from './group-routes.ts'
import { getLiveness, getReadiness } from './health.ts'
import {
  fetchRecord,
  fetchRecords,
  findOffset,
  produceBody,
  produceRecords,
} from './record-routes.ts'
import type { Route } from './route.ts'
import { readTopic, tailTopic, tailTopics } from './tail-routes.ts'
import { createTopic, deleteTopic, getTopic, listTopics, patchTopic } from './topics.ts'

/** Every route, in the order in which the documents show them. */
export const ROUTES: readonly Route[] = [
  produceBody,
  readTopic,
  createTopic,
  listTopics,
  getTopic,
  patchTopic,
  deleteTopic,
  produceRecords,
  fetchRecords,
  fetchRecord,
  findOffset,
  tailTopic,
  tailTopics,
  nextRecords,
  joinGroup,
  pollGroup,
  heartbeatGroup,
  leaveGroup,
  commitOffsets,
  listGroups,
  getGroup,
  deleteGroup,
  resetGroup,
  createDrain,
  listDrains,
  getDrain,
  getDrainMetrics,
  rotateDrain,
  deleteDrain,
  receiveFrame,
  probeDrain,
  receiveTelemetry,
  getLiveness,
  getReadiness,
]
