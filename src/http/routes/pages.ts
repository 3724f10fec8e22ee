import swagger, { type FastifyStaticSwaggerOptions } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { asyncapiDocument } from '../../contract/asyncapi.ts'
import { openapiDocument } from '../../contract/openapi.ts'
import { ProblemError } from '../../contract/problem-error.ts'
import { PROBLEMS, type ProblemCode } from '../../contract/problems.ts'

/** What people read: the document, its page, and a page for each problem. */
export async function pageRoutes(app: FastifyInstance, version: string): Promise<void> {
  const document = openapiDocument(version)
  const text = JSON.stringify(document)

  app.get('/openapi.json', (_request, reply) => reply.type('application/json').send(text))
  const messages = JSON.stringify(asyncapiDocument(version))
  app.get('/asyncapi.json', (_request, reply) => reply.type('application/json').send(messages))
  app.get('/', (_request, reply) => reply.type('text/plain; charset=utf-8').send(welcome(version)))
  app.get<{ Params: { code: string } }>('/problems/:code', (request, reply) => {
    const { code } = request.params
    if (!isCode(code)) throw new ProblemError('not_found', `There is no problem called ${code}.`)
    return reply.type('text/plain; charset=utf-8').send(problemPage(code))
  })

  // A 3.1 document; the plugin's types stop at 3.0.
  const specification = { document } as unknown as FastifyStaticSwaggerOptions['specification']
  await app.register(swagger, { mode: 'static', specification })
  await app.register(swaggerUi, { routePrefix: '/docs' })
}

function isCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEMS, code)
}

function problemPage(code: ProblemCode): string {
  const { status, title, retriable, hint } = PROBLEMS[code]
  return [
    code,
    '='.repeat(code.length),
    '',
    `${title}.`,
    '',
    `HTTP status     ${String(status)}`,
    `retriable       ${retriable ? 'yes, the same request may succeed later' : 'no, not unchanged'}`,
    `what to do      ${hint}`,
    '',
    `All problems: ${Object.keys(PROBLEMS).join(', ')}`,
    '',
  ].join('\n')
}

function welcome(version: string): string {
  return [
    `Tailrace ${version}: topics over plain HTTP, on Postgres.`,
    '',
    'Produce     curl -d hello HOST/t/demo',
    'Tail        curl -N HOST/t/demo',
    'Reference   HOST/docs    (OpenAPI: HOST/openapi.json, AsyncAPI: HOST/asyncapi.json)',
    '',
  ].join('\n')
}
