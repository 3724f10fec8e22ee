import { readFile } from 'node:fs/promises'
import closeWithGrace from 'close-with-grace'
import { closeBroker, createBroker, drainBroker, startBroker } from './broker/broker.ts'
import { ConfigError, readConfig, type Config } from './config.ts'
import { createApp } from './http/app.ts'
import { closeApp } from './http/connections.ts'
import { Door } from './http/door.ts'
import { createLogger, withoutCredentials, type Logger } from './logger.ts'
import { durabilityProblems } from './store/durability.ts'
import { EmbeddedPostgresError, DataDirectoryInUse } from './store/embedded/errors.ts'
import { startEmbeddedPostgres } from './store/embedded/launcher.ts'
import { migrate, readMigrations, SchemaError } from './store/migrate.ts'
import { createPools, type DatabaseAddress } from './store/pool.ts'
import { isUnavailable } from './store/sqlstate.ts'

/** A server that runs, and how to stop it. */
export interface RunningServer {
  /** `http://host:port` */
  url: string
  /** Where the records lie, for people. */
  storage: string
  /** Finishes what is in flight, then stops what was started, in reverse. */
  stop: () => Promise<void>
}

/** Something a person must change before the server can start; shown without a stack. */
export class StartError extends Error {}

interface Storage {
  address: DatabaseAddress
  description: string
  stop: () => Promise<void>
}

/** Heroku kills after 30 s; what is not done by then is cut by us, in order. */
const STOP_MS = 25_000

export async function programVersion(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** Where the records are: DATABASE_URL, else a Postgres of our own. */
async function openStorage(config: Config, log: Logger): Promise<Storage> {
  if (config.database_url !== undefined) {
    return {
      address: { connectionString: config.database_url },
      description: `Postgres at ${withoutCredentials(config.database_url)}`,
      stop: () => Promise.resolve(),
    }
  }
  const postgres = await startEmbeddedPostgres({ data_dir: config.data_dir, log })
  const { socket_dir, port, user, database } = postgres
  return {
    address: { host: socket_dir, port, user, database },
    description: `${postgres.binaries}, data in ${postgres.data_path}`,
    stop: () => postgres.stop(),
  }
}

async function requireDurability(
  address: DatabaseAddress,
  config: Config,
  log: Logger,
): Promise<void> {
  const problems = await durabilityProblems(address)
  if (problems.length === 0) return
  const what = `This Postgres does not keep what it acknowledges: ${problems.join(', ')}.`
  if (!config.allow_unsafe_durability) {
    throw new StartError(
      `${what} Turn it on, or set TAILRACE_ALLOW_UNSAFE_DURABILITY=true to run without the promise.`,
    )
  }
  log.warn({ problems }, `${what} ACKNOWLEDGED RECORDS CAN BE LOST.`)
}

/** Starts everything, in order; a failure on the way stops what was started. */
export async function startServer(config: Config, log: Logger): Promise<RunningServer> {
  const stops: (() => Promise<void>)[] = []
  const stop = async () => {
    for (const one of stops.splice(0).reverse()) await one()
  }
  try {
    const storage = await openStorage(config, log)
    stops.push(storage.stop)
    await requireDurability(storage.address, config, log)
    const migrations = await readMigrations()
    await migrate(storage.address, migrations, (name) => {
      log.info({ migration: name }, 'schema migrated')
    })

    const pools = createPools(storage.address, (error) => {
      log.warn({ err: error }, 'a database connection was lost')
    })
    const broker = createBroker(pools, {
      address: storage.address,
      auto_create_topics: config.auto_create_topics,
      schema_version: migrations.at(-1)?.version ?? 0,
      failed: (error) => {
        log.warn({ err: error }, 'background work failed; it will be tried again')
      },
      deaf: (err) => {
        log.warn({ err }, 'LISTEN does not work: records of other nodes are found by polling')
      },
    })
    stops.push(() => closeBroker(broker))

    const app = await createApp(broker, {
      log,
      version: await programVersion(),
      allowed_origins: config.allowed_origins,
      public_url: config.public_url,
    })
    const door = new Door(app, log)
    broker.drains.outage.guard(door)
    stops.push(async () => {
      // The port first: who comes now shall go to the next server, and not to one that is about to hang up.
      await door.remove()
      drainBroker(broker)
      await closeApp(app)
    })
    const url = await app.listen({ host: config.host, port: config.port })
    startBroker(broker)
    return { url, storage: storage.description, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The two lines to begin with, and where the data lie. */
function banner(server: RunningServer): string {
  return [
    `curl -d hello ${server.url}/t/demo`,
    `curl -N ${server.url}/t/demo`,
    '',
    `Tailrace is listening on ${server.url} (reference: ${server.url}/docs)`,
    `Records are stored in ${server.storage}`,
    '',
  ].join('\n')
}

/** What went wrong, for people: without a stack where they can mend it themselves. */
function startFailure(error: unknown, config: Config): string {
  const known = [StartError, SchemaError, EmbeddedPostgresError, DataDirectoryInUse]
  const { code, message, stack } = error as NodeJS.ErrnoException
  if (known.some((kind) => error instanceof kind)) return message
  if (code === 'EADDRINUSE') {
    return `Port ${String(config.port)} on ${config.host} is taken. Stop what listens there, or set TAILRACE_PORT.`
  }
  if (config.database_url !== undefined && (code !== undefined || isUnavailable(error))) {
    return `The database at ${withoutCredentials(config.database_url)} cannot be used: ${withoutCredentials(message)}`
  }
  return withoutCredentials(stack ?? message)
}

/** `tailrace serve`: runs until a signal; a second signal ends it at once. */
export async function serve(): Promise<void> {
  const config = readConfigOrExit()
  const log = createLogger(config.log_level)
  let server: RunningServer
  try {
    server = await startServer(config, log)
  } catch (error) {
    process.stderr.write(`tailrace: ${startFailure(error, config)}\n`)
    process.exit(1)
  }
  process.stdout.write(banner(server))
  closeWithGrace({ delay: STOP_MS, logger: false }, async ({ err, signal }) => {
    if (err) log.error({ err }, 'stopping after an error nobody handled')
    else log.info({ signal }, 'stopping: finishing what is in flight')
    await server.stop()
    log.info('stopped')
  })
}

/** `tailrace migrate`: brings the schema up to date and says what it did. */
export async function migrateOnce(): Promise<void> {
  const config = readConfigOrExit()
  try {
    const storage = await openStorage(config, createLogger('warn'))
    try {
      const names = await migrate(storage.address, await readMigrations())
      for (const name of names) process.stdout.write(`applied  ${name}\n`)
      process.stdout.write(names.length === 0 ? 'The schema is up to date.\n' : '')
    } finally {
      await storage.stop()
    }
  } catch (error) {
    process.stderr.write(`tailrace: ${startFailure(error, config)}\n`)
    process.exit(1)
  }
}

function readConfigOrExit(): Config {
  try {
    return readConfig()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`tailrace: ${error.message}\n`)
    process.exit(2)
  }
}
