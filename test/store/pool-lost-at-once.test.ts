import { connect, createServer, type AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { createPools, withClient } from '../../src/store/pool.ts'
import { createTestDatabase } from '../support/postgres.ts'

/** FATAL, as when a session is ended by an administrator. */
function farewell(): Buffer {
  const fields = Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0')
  const head = Buffer.from('E....')
  head.writeUInt32BE(fields.length + 4, 1)
  return Buffer.concat([head, fields])
}

it('a connection that is lost in the moment it is made is an error of its caller alone', async () => {
  const database = await createTestDatabase('empty')
  const target = new URL(database.url)
  const server = createServer((client) => {
    const postgres = connect(`${target.searchParams.get('host')!}/.s.PGSQL.${target.port}`)
    client.on('error', () => undefined)
    client.on('close', () => postgres.destroy())
    client.pipe(postgres)
    postgres.on('data', (chunk: Buffer) => {
      // The first time that Postgres is ready, it is also gone, in one piece.
      const ready = chunk.subarray(-6, -5).toString() === 'Z'
      if (ready) client.end(Buffer.concat([chunk, farewell()]))
      else client.write(chunk)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const pools = createPools(
    {
      connectionString: `postgres://${target.username}@127.0.0.1:${String(port)}${target.pathname}`,
    },
    () => undefined,
  )
  onTestFinished(async () => {
    await pools.end()
    server.close()
    await database.drop()
  })
  await expect(withClient(pools.read, (client) => client.query('select 1'))).rejects.toThrow()
})
