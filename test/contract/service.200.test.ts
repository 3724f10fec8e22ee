import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { getLiveness, getReadiness } from '../../src/client/index.ts'
import { ask } from '../support/answers.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

describe('GET /livez', () => {
  it('answers while the process does', async () => {
    expect(await ask(server.url, getLiveness)).toEqual({ status: 'ok' })
  })

  it('is there for HEAD too, and with a slash behind it', async () => {
    const { text } = await supertest(server.url).head('/livez').expect(200)
    expect(text).toBeFalsy()
    await supertest(server.url).get('/livez/').expect(200, { status: 'ok' })
  })
})

describe('GET /readyz', () => {
  it('names what was checked', async () => {
    expect(await ask(server.url, getReadiness)).toEqual({
      status: 'ready',
      checks: { database: 'ok', schema: 'ok', draining: 'ok' },
    })
  })
})

describe('pages for people', () => {
  it('/ says what this is and how to begin', async () => {
    const { text, headers } = await supertest(server.url).get('/').expect(200)
    expect(headers['content-type']).toMatch(/^text\/plain/)
    expect(text).toContain('Tailrace')
    expect(text).toContain('curl -d hello')
    expect(text).toContain('/docs')
  })

  it('/docs shows the reference', async () => {
    const page = await supertest(server.url).get('/docs').redirects(1).expect(200)
    expect(page.headers['content-type']).toMatch(/^text\/html/)
    expect(page.text).toContain('swagger')
    // What the page loads is there, from this server: it works without a network.
    const assets = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path!)
    expect(assets.length).toBeGreaterThan(0)
    for (const path of assets) {
      const { pathname, host } = new URL(path, `${server.url}/docs/`)
      expect(host).toBe(new URL(server.url).host)
      await supertest(server.url).get(pathname).expect(200)
    }
  })
})
