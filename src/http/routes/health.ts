import type { FastifyInstance } from 'fastify'
import { readiness, type Broker } from '../../broker/broker.ts'
import { getLiveness, getReadiness } from '../../contract/health.ts'
import { mount, SENT } from '../mount.ts'

export function healthRoutes(app: FastifyInstance, broker: Broker): void {
  mount(app, getLiveness, () => Promise.resolve({ status: 'ok' as const }))

  mount(app, getReadiness, async ({ reply }) => {
    const ready = await readiness(broker)
    const status = ready.status === 'ready' ? 200 : 503
    reply.code(status).type('application/json').send(JSON.stringify(ready))
    return SENT
  })
}
