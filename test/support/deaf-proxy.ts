import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

const NOTIFICATION = 'A'.charCodeAt(0)
/** A message of Postgres is one byte of type and four of length, which counts itself but not the type. */
const TYPE = 1
const HEAD = 5

/**
 * A way to Postgres on which LISTEN succeeds and nothing is ever heard, as behind a pooler in transaction mode:
 * everything passes but notifications.
 */
export interface DeafProxy {
  url: string
  close: () => Promise<void>
}

export async function openDeafProxy(databaseUrl: string): Promise<DeafProxy> {
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
    client.pipe(postgres)
    const filter = withoutNotifications()
    postgres.on('data', (chunk) => client.write(filter(chunk)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const url = new URL(databaseUrl)
  url.searchParams.delete('host')
  url.host = `127.0.0.1:${String(port)}`
  return {
    url: url.href,
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

/** Cuts a stream of messages apart and leaves notifications out. */
function withoutNotifications(): (chunk: Buffer) => Buffer {
  let rest = Buffer.alloc(0)
  return (chunk) => {
    rest = Buffer.concat([rest, chunk])
    const passed: Buffer[] = []
    while (rest.length >= HEAD && rest.length >= TYPE + rest.readUInt32BE(TYPE)) {
      const end = TYPE + rest.readUInt32BE(TYPE)
      if (rest[0] !== NOTIFICATION) passed.push(rest.subarray(0, end))
      rest = rest.subarray(end)
    }
    return Buffer.concat(passed)
  }
}
