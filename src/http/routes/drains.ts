import type { FastifyInstance } from 'fastify'
import type { Broker } from '../../broker/broker.ts'
import * as drains from '../../broker/drains/drains.ts'
import * as contract from '../../contract/drain-routes.ts'
import { mount } from '../mount.ts'
import { nextPage } from '../next-page.ts'
import { publicUrl } from '../public-url.ts'

/** Drains as their owners see them; what senders call is in receive.ts. */
export function drainRoutes(
  app: FastifyInstance,
  broker: Broker,
  publicBase: string | undefined,
): void {
  mount(app, contract.createDrain, async ({ body, request, reply }) => {
    const drain = await drains.createDrain(broker, publicUrl(request, publicBase), body)
    reply.header('location', `/v1/drains/${drain.name}`)
    return drain
  })

  mount(app, contract.listDrains, async ({ query, request, reply }) => {
    const base = publicUrl(request, publicBase)
    const { drains: page, next_after } = await drains.listDrains(broker, base, query)
    return { drains: page, next: nextPage(reply, contract.listDrains.path, query, next_after) }
  })

  mount(app, contract.getDrain, ({ params, request }) =>
    drains.describeDrain(broker, publicUrl(request, publicBase), params.drain),
  )

  mount(app, contract.rotateDrain, ({ params, body, request }) =>
    drains.rotateDrain(broker, publicUrl(request, publicBase), params.drain, body.grace_ms),
  )

  mount(app, contract.deleteDrain, ({ params }) => drains.deleteDrain(broker, params.drain))
}
