import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A way to Postgres that can be spoiled. */
export interface PostgresProxy {
  url: string
  /** From now on nothing passes on the connections there are, and neither side is told. */
  freeze: () => void
  close: () => Promise<void>
}

/** Makes, for each connection, what turns what Postgres sends into what the client gets. */
type Filter = () => (chunk: Buffer) => Buffer

export async function openPostgresProxy(
  databaseUrl: string,
  filter: Filter = () => (chunk) => chunk,
): Promise<PostgresProxy> {
  const target = targetOf(databaseUrl)
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const postgres = connect(target)
    for (const socket of [client, postgres]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        client.destroy()
        postgres.destroy()
      })
    }
    client.on('data', (chunk) => postgres.write(chunk))
    const pass = filter()
    postgres.on('data', (chunk) => client.write(pass(chunk)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const url = new URL(databaseUrl)
  url.searchParams.delete('host')
  url.host = `127.0.0.1:${String(port)}`
  return {
    url: url.href,
    freeze: () => {
      for (const socket of sockets) socket.pause()
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The embedded Postgres listens on a socket file, which its URL names as `host`. */
function targetOf(databaseUrl: string): { path: string } | { host: string; port: number } {
  const url = new URL(databaseUrl)
  const directory = url.searchParams.get('host')
  const port = url.port || '5432'
  if (directory !== null) return { path: `${directory}/.s.PGSQL.${port}` }
  return { host: url.hostname, port: Number(port) }
}
