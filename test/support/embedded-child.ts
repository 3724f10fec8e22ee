import { startEmbeddedPostgres } from '../../src/store/embedded/launcher.ts'

/**
 * A server reduced to its Postgres, for tests that kill it:
 *
 *   node --import tsx test/support/embedded-child.ts <data_dir>
 *
 * Prints one line of JSON, either where Postgres is or why it is not; SIGTERM stops it in order.
 */
const silent = () => undefined
const log = { info: silent, warn: silent, error: silent }

try {
  const postgres = await startEmbeddedPostgres({ data_dir: process.argv[2] ?? '', log })
  const { socket_dir } = postgres
  console.log(JSON.stringify({ socket_dir, postmaster: postgres.pid() }))
  const keep_alive = setInterval(silent, 1000)
  process.once('SIGTERM', () => {
    clearInterval(keep_alive)
    void postgres.stop()
  })
} catch (error) {
  const { name, message } = error as Error
  console.log(JSON.stringify({ name, message }))
}
