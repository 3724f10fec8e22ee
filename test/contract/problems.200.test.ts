import supertest from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PROBLEMS } from '../../src/contract/problems.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

describe('the page of a problem, where its type leads', () => {
  it.each(Object.entries(PROBLEMS))('/problems/%s', async (code, { status, title, hint }) => {
    const { text, headers } = await supertest(server.url).get(`/problems/${code}`).expect(200)
    expect(headers['content-type']).toMatch(/^text\/plain/)
    expect(text).toContain(code)
    expect(text).toContain(String(status))
    expect(text).toContain(title)
    expect(text).toContain(hint)
  })

  it('the alphabet is in order', () => {
    const codes = Object.keys(PROBLEMS)
    expect(codes).toEqual(codes.toSorted())
  })
})
