import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Broker } from '../../broker/broker.ts'
import { drainNamed } from '../../broker/drains/drains.ts'
import { windowMs, DEFAULT_METRICS_WINDOW } from '../../contract/drain-metrics.ts'
import { getDrainMetrics } from '../../contract/drain-routes.ts'
import { LIMITS } from '../../contract/limits.ts'
import { abandoned } from '../abandoned.ts'
import { mount, SENT } from '../mount.ts'
import { metricsForm } from '../negotiate.ts'
import { openStream } from '../open-stream.ts'

/** What the requests of a drain's application were: once, as a stream, or for Prometheus to scrape. */
export function drainMetricsRoutes(app: FastifyInstance, broker: Broker): void {
  mount(app, getDrainMetrics, async ({ params, query, request, reply }) => {
    const form = metricsForm(request)
    const drain = await drainNamed(broker, params.drain)
    const { routers } = broker.drains
    if (form === 'prometheus') {
      const text = await routers.prometheus(drain.topic, drain.name)
      reply.type('text/plain; version=0.0.4; charset=utf-8').send(text)
      return SENT
    }
    const window = windowMs(query.window ?? DEFAULT_METRICS_WINDOW) ?? 0
    const snapshot = () => routers.snapshot(drain.topic, window)
    if (form === 'json') return snapshot()
    await stream(reply, snapshot, routers.signal)
    return SENT
  })
}

/** An event a second, as long as the reader takes them. */
async function stream(
  reply: FastifyReply,
  snapshot: () => Promise<unknown>,
  stopping: AbortSignal,
): Promise<void> {
  const signal = AbortSignal.any([abandoned(reply), stopping])
  const raw = openStream(reply, 'text/event-stream; charset=utf-8')
  raw.write('retry: 1000\n\n')
  try {
    while (!signal.aborted) {
      // Who does not take one misses those in between, and nothing is kept for them.
      if (!raw.writableNeedDrain)
        raw.write(`event: metrics\ndata: ${JSON.stringify(await snapshot())}\n\n`)
      await sleep(LIMITS.metrics_update_ms, undefined, { signal }).catch(() => undefined)
    }
  } finally {
    // A topic that was deleted, or a database that is away: the reader comes back by itself.
    raw.end()
  }
}
