/**
 * The server under measurement, in a process of its own: the product as built into dist/, with one more
 * route that answers the same POST without storing. Says its address on standard output. JavaScript, so
 * that nothing but the product's own build stands between it and Node.
 */
// By computed name: dist/ is not there until the bench has built it, and the checks run without it.
const built = (file) => import(new URL(`../../dist/${file}`, import.meta.url).href)
const { createBroker, startBroker } = await built('broker/broker.js')
const { createApp } = await built('http/app.js')
const { createLogger } = await built('logger.js')
const { migrate, readMigrations } = await built('store/migrate.js')
const { createPools } = await built('store/pool.js')

const ANSWER =
  '{"topic":"single","offsets":[{"partition":0,"base_offset":1234567,"record_count":1}]}'

const address = { connectionString: process.env.DATABASE_URL ?? '' }
const migrations = await readMigrations()
await migrate(address, migrations)
const log = createLogger('warn')
const failed = (err) => log.warn({ err }, 'failed in the background')
const pools = createPools(address, failed)
const schema_version = migrations.at(-1)?.version ?? 0
const broker = createBroker(pools, {
  address,
  auto_create_topics: true,
  schema_version,
  failed,
  deaf: failed,
})
const app = await createApp(broker, { log, version: 'bench', allowed_origins: [] })
app.post('/bench/nothing', (_request, reply) => {
  reply.header('content-type', 'application/json; charset=utf-8')
  reply.send(ANSWER)
})
startBroker(broker)
process.stdout.write(`${await app.listen({ host: '127.0.0.1', port: 0 })}\n`)
process.once('SIGTERM', () => process.exit())
