import {
  call,
  createTopic,
  patchTopic,
  send,
  type CallOptions,
  type ProduceRequest,
} from '../../src/client/index.ts'
import * as routes from '../../src/contract/group-routes.ts'
import type { GroupDescription, GroupOffset, JoinGroup } from '../../src/contract/groups.ts'
import type { ResponseOf, Route } from '../../src/contract/route.ts'
import { ask } from './answers.ts'
import { produce } from './records.ts'

type BodyOf<R extends Route> = Exclude<CallOptions<R>['body'], string | Uint8Array>
type QueryOf<R extends Route> = CallOptions<R>['query']

export type Join = Partial<JoinGroup>
export type Poll = QueryOf<typeof routes.pollGroup>
export type Polled = ResponseOf<typeof routes.pollGroup>
export type Next = Omit<NonNullable<BodyOf<typeof routes.nextRecords>>, 'topics'> & {
  topics?: string[]
}
export type Membership = ResponseOf<typeof routes.joinGroup>
export type Nexted = ResponseOf<typeof routes.nextRecords>
type Reset = NonNullable<BodyOf<typeof routes.resetGroup>>
type Commit = NonNullable<BodyOf<typeof routes.commitOffsets>>

/** Who calls for a group; an answer to a join is one. */
export interface Caller {
  group: string
  member_id: string
  generation_id?: number
}

/** How long tests let a poll wait: who waits it out fails. */
export const LONG = 60_000

/** The calls of a group's members to one node; `try…` gives what came, problems included. */
export class GroupCalls {
  readonly #url: () => string

  /** Of a node that is up, or will be by the time of the first call. */
  constructor(url: string | (() => string)) {
    this.#url = typeof url === 'string' ? () => url : url
  }

  get url(): string {
    return this.#url()
  }

  join(group: string, topics: string | string[], body: Join = {}) {
    return ask(this.url, routes.joinGroup, joining(group, topics, body))
  }

  tryJoin(group: string, topics: string | string[], body: Join = {}) {
    return send(this.url, routes.joinGroup, joining(group, topics, body))
  }

  poll({ group, member_id }: Caller, query: Poll = {}, signal?: AbortSignal) {
    const params = { group, member_id }
    return ask(this.url, routes.pollGroup, { params, query, ...(signal && { signal }) })
  }

  tryPoll({ group, member_id }: Caller, query: Poll = {}, signal?: AbortSignal) {
    const params = { group, member_id }
    return send(this.url, routes.pollGroup, { params, query, ...(signal && { signal }) })
  }

  /** Polls with what the caller holds being done. */
  pollOn(caller: Caller, query: Poll = {}) {
    return this.poll(caller, { commit: 'previous', ...query })
  }

  heartbeat({ group, member_id, generation_id }: Caller) {
    const query = generation_id === undefined ? {} : { generation_id }
    return ask(this.url, routes.heartbeatGroup, { params: { group, member_id }, query })
  }

  tryHeartbeat({ group, member_id, generation_id }: Caller) {
    const query = generation_id === undefined ? {} : { generation_id }
    return send(this.url, routes.heartbeatGroup, { params: { group, member_id }, query })
  }

  /** Leaves, with the generation if the caller knows one. */
  leave(caller: Caller) {
    return ask(this.url, routes.leaveGroup, leaving(caller))
  }

  tryLeave(caller: Caller) {
    return send(this.url, routes.leaveGroup, leaving(caller))
  }

  commit(caller: Caller, offsets: Commit['offsets']) {
    return ask(this.url, routes.commitOffsets, committing(caller, offsets))
  }

  tryCommit(caller: Caller, offsets: Commit['offsets']) {
    return send(this.url, routes.commitOffsets, committing(caller, offsets))
  }

  /** Sets offsets of a group that has no members. */
  set(group: string, offsets: GroupOffset[]) {
    return ask(this.url, routes.commitOffsets, { params: { group }, body: { offsets } })
  }

  trySet(group: string, offsets: GroupOffset[]) {
    return send(this.url, routes.commitOffsets, { params: { group }, body: { offsets } })
  }

  next(group: string, topics: string | string[], body: Next = {}) {
    return ask(this.url, routes.nextRecords, asking(group, topics, body))
  }

  tryNext(group: string, topics: string | string[], body: Next = {}) {
    return send(this.url, routes.nextRecords, asking(group, topics, body))
  }

  describe(group: string): Promise<GroupDescription> {
    return ask(this.url, routes.getGroup, { params: { group } })
  }

  reset(group: string, body: Reset) {
    return ask(this.url, routes.resetGroup, { params: { group }, body })
  }

  tryReset(group: string, body: Reset) {
    return send(this.url, routes.resetGroup, { params: { group }, body })
  }

  /** What is committed, by place: `topic/partition`. */
  async committed(group: string): Promise<Record<string, number | null>> {
    const { partitions } = await this.describe(group)
    return Object.fromEntries(partitions.map((one) => [placeOf(one), one.committed]))
  }

  /** Who has each partition, by place. */
  async owners(group: string): Promise<Record<string, string | null>> {
    const { partitions } = await this.describe(group)
    return Object.fromEntries(partitions.map((one) => [placeOf(one), one.member_id]))
  }

  create(name: string, partitions = 1) {
    return ask(this.url, createTopic, { body: { name, partitions } })
  }

  grow(topic: string, partitions: number) {
    return ask(this.url, patchTopic, { params: { topic }, body: { partitions } })
  }

  produce(topic: string, records: ProduceRequest['records']) {
    return produce(this.url, topic, records)
  }

  /** A topic with these values in each of its partitions. */
  async topic(name: string, ...partitions: unknown[][]): Promise<string> {
    await call(this.url, createTopic, { body: { name, partitions: partitions.length } })
    const records = partitions.flatMap((values, partition) =>
      values.map((value) => ({ partition, value: value as string })),
    )
    if (records.length > 0) await this.produce(name, records)
    return name
  }
}

function joining(group: string, topics: string | string[], body: Join) {
  return { params: { group }, body: { topics: [topics].flat(), ...body } }
}

function leaving({ group, member_id, generation_id }: Caller) {
  const query = generation_id === undefined ? {} : { generation_id }
  return { params: { group, member_id }, query }
}

function committing({ group, member_id, generation_id }: Caller, offsets: Commit['offsets']) {
  const known = generation_id === undefined ? {} : { generation_id }
  return { params: { group }, body: { member_id, ...known, offsets } }
}

function asking(group: string, topics: string | string[], body: Next) {
  return { params: { group }, body: { topics: [topics].flat(), max_wait_ms: 0, ...body } }
}

export const placeOf = (one: { topic: string; partition: number }) =>
  `${one.topic}/${String(one.partition)}`

/** An offset as a commit names it. */
export const at = (topic: string, partition: number, offset: number): GroupOffset => ({
  topic,
  partition,
  offset,
})

export const valuesOf = ({ records }: { records: { value?: unknown }[] }) =>
  records.map(({ value }) => value)

/** How many partitions somebody has. */
export const sizeOf = (assignment: { partitions: number[] }[] = []) =>
  assignment.reduce((sum, { partitions }) => sum + partitions.length, 0)

export const upTo = (count: number, from = 0) =>
  Array.from({ length: count - from }, (_, n) => from + n)
