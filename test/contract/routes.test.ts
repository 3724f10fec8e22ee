import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROUTES } from '../../src/contract/routes.ts'
import { sendPath } from '../support/raw-socket.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

/** The path with something in each place that is meant for it. */
const filled = (path: string) =>
  path.replace('{topic}', 'orders').replaceAll(/\{(partition|offset)\}/g, '0')

describe('every route of the contract is mounted', () => {
  it.each(ROUTES.map((route) => [route.method, route.path, route.streams] as const))(
    '%s %s',
    async (method, path, streams) => {
      const target = filled(path) + (streams ? '?until=latest' : '')
      const { status, text } = await sendPath(server.url, target, method, '{"records":[]}')
      expect(status).not.toBe(500)
      expect(text).not.toContain('/problems/not_found')
      expect(text).not.toContain('/problems/method_not_allowed')
    },
  )

  it.each(ROUTES)('$operation_id has a name of its own', ({ operation_id, method, path }) => {
    expect(ROUTES.filter((route) => route.operation_id === operation_id)).toHaveLength(1)
    const same = ROUTES.filter((route) => route.method === method && route.path === path)
    expect(same).toHaveLength(1)
  })
})

describe('GET /openapi.json', () => {
  it('describes these routes and no others', async () => {
    const { body } = await supertest(server.url).get('/openapi.json').expect(200)
    const document = body as {
      openapi: string
      paths: Record<string, Record<string, { operationId: string }>>
    }
    expect(document.openapi).toMatch(/^3\.1\./)
    const described = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(
        ([method, { operationId }]) => `${method.toUpperCase()} ${path} ${operationId}`,
      ),
    )
    const mounted = ROUTES.map(
      ({ method, path, operation_id }) => `${method} ${path} ${operation_id}`,
    )
    expect(described.sort()).toEqual(mounted.sort())
  })

  it.each(['/openapi.json', '/asyncapi.json'])(
    '%s refers to nothing that it does not hold',
    async (page) => {
      const { body } = await supertest(server.url).get(page).expect(200)
      const references = [...JSON.stringify(body).matchAll(/"\$ref":"#\/([^"]+)"/g)]
      expect(references.length).toBeGreaterThan(0)
      for (const [, path] of references) {
        const found = path!
          .split('/')
          .reduce<unknown>((node, step) => (node as Record<string, unknown>)[step], body)
        expect(found, path).toBeDefined()
      }
    },
  )

  it('lists for each operation the problems its route names', async () => {
    const { body } = await supertest(server.url).get('/openapi.json').expect(200)
    const { paths } = body as {
      paths: Record<string, Record<string, { responses: Record<string, { description: string }> }>>
    }
    for (const { path, method, problems } of ROUTES) {
      const responses = Object.values(paths[path]![method.toLowerCase()]!.responses)
      const text = responses.map(({ description }) => description).join()
      for (const code of problems) expect(text, path).toContain(code)
    }
  })
})
