import { z } from 'zod'
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
} from 'zod-openapi'
import { PROBLEMS, type ProblemCode } from './problems.ts'
import type { Route } from './route.ts'
import { ROUTES } from './routes.ts'

/** The problem object of RFC 9457, with the members every Tailrace error has. */
export const Problem = z
  .looseObject({
    type: z.string().meta({ description: 'Path of the page about this code.' }),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    instance: z.string().meta({ description: 'Id of the request, as in the server log.' }),
    code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]),
    retriable: z.boolean(),
    hint: z.string(),
    written: z
      .enum(['no', 'unknown'])
      .optional()
      .meta({ description: 'On writes: was anything stored?' }),
    errors: z
      .array(
        z.object({
          in: z.enum(['body', 'query', 'path', 'header']),
          pointer: z.string(),
          detail: z.string(),
        }),
      )
      .optional(),
  })
  .meta({ id: 'Problem' })
export type Problem = z.infer<typeof Problem>

const TAGS = [
  { name: 'short door', description: 'From nothing to a record read back in two steps.' },
  { name: 'topics', description: 'Named logs and their partitions.' },
  { name: 'records', description: 'Produce and fetch.' },
  { name: 'tails', description: 'Live, as NDJSON, server-sent events or WebSocket.' },
  { name: 'groups', description: 'Several readers that share a stream, and how far they are.' },
  {
    name: 'drains',
    description: 'Where Heroku, Vercel, OpenTelemetry and others send their logs.',
  },
  { name: 'service', description: 'Health.' },
]

/** Problems any route may answer with, beside its own. */
function problemsOf(route: Route): readonly ProblemCode[] {
  const general: ProblemCode[] = ['internal_error', 'invalid_request']
  if (route.operation !== 'public') general.push('store_unavailable', 'draining')
  if (route.body) general.push('unsupported_media_type', 'request_too_large')
  return [...new Set([...route.problems, ...general])].sort()
}

function problemResponses(route: Route): ZodOpenApiOperationObject['responses'] {
  const byStatus = new Map<number, ProblemCode[]>()
  for (const code of problemsOf(route)) {
    const { status } = PROBLEMS[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      String(status),
      {
        description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join('; '),
        content: { 'application/problem+json': { schema: Problem } },
      },
    ]),
  )
}

function successResponse(route: Route): ZodOpenApiOperationObject['responses'] {
  if (route.status === 204) return { '204': { description: 'Done.' } }
  const content = Object.fromEntries(
    (route.response_media ?? ['application/json']).map((media) => [
      media,
      media === 'application/octet-stream'
        ? { schema: z.string().meta({ format: 'binary' }) }
        : { schema: route.response, example: route.example.response },
    ]),
  )
  return { [String(route.status)]: { description: route.summary, content } }
}

function requestBody(route: Route): Pick<ZodOpenApiOperationObject, 'requestBody'> {
  if (route.raw_body) return { requestBody: { required: true, content: route.raw_body } }
  if (!route.body) return {}
  const content = { 'application/json': { schema: route.body, example: route.example.body } }
  return { requestBody: { required: true, content } }
}

function operation(route: Route): ZodOpenApiOperationObject {
  return {
    operationId: route.operation_id,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description ? { description: route.description } : {}),
    security: [],
    requestParams: {
      path: route.params as z.ZodObject,
      query: route.query as z.ZodObject,
      ...(route.headers ? { header: route.headers } : {}),
    },
    ...requestBody(route),
    responses: { ...successResponse(route), ...problemResponses(route) },
    'x-tailrace-operation': route.operation,
  }
}

/** The OpenAPI 3.1 document of all routes. Pure: the same routes give the same document. */
export function openapiDocument(version: string): ReturnType<typeof createDocument> {
  const paths: ZodOpenApiPathsObject = {}
  for (const route of ROUTES) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) }
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Tailrace',
      version,
      description: 'Kafka-style topics over plain HTTP, on Postgres.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: TAGS,
    paths,
  })
}
