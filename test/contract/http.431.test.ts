import { afterAll, beforeAll, describe, it } from 'vitest'
import { expectProblem } from '../support/answers.ts'
import { sendRaw } from '../support/raw-socket.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

describe('headers over 32 KiB', () => {
  const request = (...lines: string[]) =>
    ['POST /t/x HTTP/1.1', 'Host: x', 'Connection: close', ...lines, '', ''].join('\r\n')

  it.each([
    ['one long header', request(`X-Long: ${'x'.repeat(40_000)}`)],
    [
      'many headers',
      request(...Array.from({ length: 1900 }, (_, n) => `X-H${String(n)}: value of it, and of it`)),
    ],
    ['a long path', `GET /t/${'x'.repeat(40_000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
  ])('%s', async (_, bytes) => {
    await expectProblem(await sendRaw(server.url, bytes), 'request_header_fields_too_large')
  })
})
