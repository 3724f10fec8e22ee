import { once } from 'node:events'
import { connect } from 'node:net'
import { it } from 'vitest'
import { produce } from '../support/records.ts'
import { startTestServer } from '../support/server.ts'

const UPGRADE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
]

it.each([
  ['NDJSON', []],
  ['server-sent events', ['Accept: text/event-stream']],
  ['WebSocket', UPGRADE],
])('a server stops although a reader of %s takes nothing', async (_form, fields) => {
  const server = await startTestServer()
  const value = 'x'.repeat(900_000)
  // More than the buffers of a socket hold.
  for (let n = 0; n < 12; n++) await produce(server.url, 'much', [{ value }])
  const { hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  const head = ['GET /v1/topics/much/tail?from=earliest HTTP/1.1', 'Host: x', ...fields]
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  await new Promise((resolve) => socket.once('data', resolve))
  socket.pause()
  await server.stop()
  socket.destroy()
})

it('a server stops although somebody has connected and said nothing', async () => {
  const server = await startTestServer()
  const { hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  // Accepted by the server, too: it has answered one who came later.
  await fetch(`${server.url}/livez`)
  const closed = once(socket, 'close')
  socket.resume()
  await server.stop()
  await closed
})
