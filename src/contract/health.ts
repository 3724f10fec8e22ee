import { z } from 'zod'
import { defineRoute } from './route.ts'

export const Readiness = z
  .strictObject({
    status: z.enum(['ready', 'not_ready']),
    checks: z.strictObject({
      database: z.enum(['ok', 'failed']),
      schema: z.enum(['ok', 'failed']),
      draining: z.enum(['ok', 'failed']),
    }),
  })
  .meta({ id: 'Readiness' })
export type Readiness = z.infer<typeof Readiness>

export const getLiveness = defineRoute({
  operation_id: 'getLiveness',
  method: 'GET',
  path: '/livez',
  tag: 'service',
  summary: 'Is the process alive?',
  operation: 'public',
  params: z.strictObject({}),
  query: z.strictObject({}),
  status: 200,
  response: z.strictObject({ status: z.literal('ok') }),
  writes: false,
  problems: [],
  example: { response: { status: 'ok' } },
})

export const getReadiness = defineRoute({
  operation_id: 'getReadiness',
  method: 'GET',
  path: '/readyz',
  tag: 'service',
  summary: 'Can it serve? Database reachable, schema current, not shutting down',
  description: 'Status 503 with the same body where it cannot.',
  operation: 'public',
  params: z.strictObject({}),
  query: z.strictObject({}),
  status: 200,
  response: Readiness,
  writes: false,
  problems: [],
  example: {
    response: { status: 'ready', checks: { database: 'ok', schema: 'ok', draining: 'ok' } },
  },
})
