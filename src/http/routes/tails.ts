import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { WebSocket } from '@fastify/websocket'
import type { Broker } from '../../broker/broker.ts'
import { Tail, type TailInput } from '../../broker/tail.ts'
import { readTopic, tailTopic, tailTopics } from '../../contract/tail-routes.ts'
import { abandoned } from '../abandoned.ts'
import { mount, SENT } from '../mount.ts'
import { requireNdjson, wantsEvents } from '../negotiate.ts'
import { tailOfTopic, tailOfTopics } from '../tails/read-tail.ts'
import {
  NDJSON_TAIL,
  pageWriter,
  QUIET_TAIL,
  SSE_TAIL,
  WEBSOCKET_TAIL,
  type TailForm,
} from '../tails/tail-forms.ts'
import { sendTextTail } from '../tails/text-tail.ts'
import { WebSocketTail } from '../tails/websocket-tail.ts'

const LATEST = { kind: 'latest' } as const
const EARLIEST = { kind: 'earliest' } as const

export function tailRoutes(app: FastifyInstance, broker: Broker): void {
  mount(
    app,
    tailTopic,
    async ({ params, query, request, reply }) => {
      const form = wantsEvents(request) ? SSE_TAIL : NDJSON_TAIL
      const input = tailOfTopic(params.topic, query, request, LATEST)
      return sendTail(broker, reply, { input, key: query.key }, form)
    },
    (socket, request, read) => {
      void openSocket(broker, socket, request, () => {
        const { params, query } = read()
        const input = tailOfTopic(params.topic, query, request, LATEST)
        return { input, key: query.key, credit: query.credit }
      })
    },
  )

  mount(
    app,
    tailTopics,
    async ({ query, request, reply }) => {
      const form = wantsEvents(request) ? SSE_TAIL : NDJSON_TAIL
      return sendTail(broker, reply, { input: tailOfTopics(query, request), key: query.key }, form)
    },
    (socket, request, read) => {
      void openSocket(broker, socket, request, () => {
        const { query } = read()
        return { input: tailOfTopics(query, request), key: query.key, credit: query.credit }
      })
    },
  )

  mount(app, readTopic, async ({ params, query, request, reply }) => {
    requireNdjson(request)
    reply.header('link', `</v1/topics/${params.topic}>; rel="describedby"`)
    const input = tailOfTopic(params.topic, query, request, EARLIEST)
    return sendTail(broker, reply, { input, key: query.key }, QUIET_TAIL)
  })
}

interface Wanted {
  input: TailInput
  key: string | undefined
}

async function sendTail(
  broker: Broker,
  reply: FastifyReply,
  { input, key }: Wanted,
  form: TailForm,
): Promise<typeof SENT> {
  // A problem up to here is an ordinary answer; from here on it is the last message.
  const tail = await Tail.open(broker, input, abandoned(reply))
  await sendTextTail(reply, tail, form, pageWriter(form, { ...input, key }))
  return SENT
}

/** A browser cannot see why an upgrade was refused, so it is accepted, told, and closed. */
async function openSocket(
  broker: Broker,
  socket: WebSocket,
  request: FastifyRequest,
  read: () => Wanted & { credit: number | undefined },
): Promise<void> {
  let connection: WebSocketTail | undefined
  try {
    const { input, key, credit } = readFirst(socket, request, read)
    connection = new WebSocketTail(socket, request, credit)
    const tail = await Tail.open(broker, input, connection.signal)
    await connection.run(tail, pageWriter(WEBSOCKET_TAIL, { ...input, key }))
  } catch (error) {
    connection?.fail(error)
  }
}

/** What the request asks for; where that cannot be read, the caller is told on the socket. */
function readFirst<T>(socket: WebSocket, request: FastifyRequest, read: () => T): T {
  try {
    return read()
  } catch (error) {
    new WebSocketTail(socket, request, 0).fail(error)
    throw error
  }
}
