import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Broker } from '../../broker/broker.ts'
import { formatAck, parseAck, type Ack } from '../../broker/groups/ack.ts'
import { assignmentOf, keptBy } from '../../broker/groups/assignment.ts'
import { commitOffsets } from '../../broker/groups/commit.ts'
import * as describe from '../../broker/groups/describe.ts'
import * as membership from '../../broker/groups/membership.ts'
import { next } from '../../broker/groups/next.ts'
import { poll, type Polled } from '../../broker/groups/poll.ts'
import { resetGroup } from '../../broker/groups/reset.ts'
import * as contract from '../../contract/group-routes.ts'
import { groupTail } from '../../contract/group-tail.ts'
import { LIMITS } from '../../contract/limits.ts'
import { invalidField, ProblemError } from '../../contract/problem-error.ts'
import { abandoned } from '../abandoned.ts'
import { mount, SENT } from '../mount.ts'
import { nextPage } from '../next-page.ts'
import { positionsOf, recordsText, revokedOf } from '../polled.ts'
import { GroupTail } from '../tails/group-tail.ts'

export function groupRoutes(app: FastifyInstance, broker: Broker): void {
  memberRoutes(app, broker)
  socketRoute(app, broker)
  readingRoutes(app, broker)

  mount(app, contract.listGroups, async ({ query, reply }) => {
    const { groups, next_after } = await describe.listGroups(broker, query)
    return { groups, next: nextPage(reply, contract.listGroups.path, query, next_after) }
  })

  mount(app, contract.getGroup, ({ params }) => describe.describeGroup(broker, params.group))

  mount(app, contract.deleteGroup, ({ params }) => describe.deleteGroup(broker, params.group))

  mount(app, contract.resetGroup, ({ params, body }) => resetGroup(broker, params.group, body))
}

function memberRoutes(app: FastifyInstance, broker: Broker): void {
  mount(app, contract.joinGroup, async ({ params, body, request, reply }) => {
    const joined = await membership.joinGroup(broker, {
      ...body,
      group: params.group,
      client: request.ip,
    })
    reply.header('location', `/v1/groups/${params.group}/members/${joined.member_id}`)
    return joined
  })

  mount(app, contract.heartbeatGroup, ({ params, query, request }) =>
    membership.heartbeat(broker, {
      ...params,
      generation_id: query.generation_id,
      client: request.ip,
    }),
  )

  mount(app, contract.leaveGroup, ({ params, query }) =>
    membership.leaveGroup(broker, { ...params, generation_id: query.generation_id }),
  )

  mount(app, contract.commitOffsets, async ({ params, body }) => ({
    group: params.group,
    offsets: await commitOffsets(broker, params.group, body),
  }))
}

function socketRoute(app: FastifyInstance, broker: Broker): void {
  mount(
    app,
    groupTail,
    () => Promise.reject(new ProblemError('invalid_request', 'This path is for WebSockets.')),
    (socket, request, read) => {
      const tail = new GroupTail(broker, socket, request)
      const run = async () => {
        const { params, query } = read()
        const { topics, credit, ...joining } = query
        const names = topics.split(',')
        const rebalance_timeout_ms = LIMITS.rebalance_default_ms
        await tail.run({
          group: params.group,
          credit,
          joining: { ...joining, topics: names, rebalance_timeout_ms },
        })
      }
      run().catch((error: unknown) => tail.fail(error))
    },
  )
}

function readingRoutes(app: FastifyInstance, broker: Broker): void {
  mount(app, contract.pollGroup, async ({ params, query, request, reply }) => {
    const received = readReceived(query.received)
    if (received && received.member_id !== params.member_id) {
      throw invalidField('query', '/received', 'is the ack of another member')
    }
    const polled = await poll(broker, {
      ...params,
      ...query,
      received,
      generation_id: query.generation_id ?? received?.generation_id,
      client: request.ip,
      signal: abandoned(reply),
    })
    const { generation_id, owned } = polled.state
    const knows = query.generation_id === generation_id && !owned.some((one) => one.came_late)
    sendRecords(reply, params, polled, {
      positions: positionsOf(polled),
      ...(knows ? {} : { assignment: assignmentOf(keptBy(polled.state)) }),
      ...revokedOf(polled),
    })
    return SENT
  })

  mount(app, contract.nextRecords, async ({ params, body, request, reply }) => {
    const { group } = params
    const given = await next(broker, { ...body, group, ...callerOf(request, reply) })
    const { member_id } = given
    const lease_ms = given.state.session_timeout_ms
    sendRecords(reply, { group, member_id }, given, { lease_ms })
    return SENT
  })
}

/** An empty one is a mistake of the caller's, and to take it for none could commit what has not arrived. */
function readReceived(received: string | undefined): Ack | undefined {
  return received === undefined ? undefined : parseAck(received, 'query', '/received')
}

function callerOf(
  request: FastifyRequest,
  reply: FastifyReply,
): { client: string; signal: AbortSignal } {
  return { client: request.ip, signal: abandoned(reply) }
}

function sendRecords(
  reply: FastifyReply,
  { group, member_id }: { group: string; member_id: string },
  polled: Polled,
  more: object,
): void {
  const { pages, in_hand, truncated } = polled
  const { group_id, generation_id } = polled.state
  const rest = JSON.stringify({
    ack: formatAck({ group_id, member_id, generation_id, offsets: in_hand }),
    ...more,
    ...(truncated.length > 0 ? { truncated } : {}),
  })
  const head = JSON.stringify({ group, member_id, generation_id })
  const text = `${head.slice(0, -1)},"records":${recordsText(polled)},${rest.slice(1)}`
  const isAscii = pages.every(({ page }) => page.byte_length === page.text.length)
  // Asking again is not the same: nobody in between may answer.
  reply.headers({ 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
  reply.send(Buffer.from(text, isAscii ? 'latin1' : 'utf8'))
}
