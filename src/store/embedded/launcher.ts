import { join } from 'node:path'
import { canEnter, databaseAccount } from './account.ts'
import { chooseBinaries } from './binaries.ts'
import { ensureCluster, SUPERUSER } from './cluster.ts'
import {
  createHome,
  existingHome,
  majorVersionOf,
  openDataDirectory,
  unreachable,
} from './data-directory.ts'
import { DATABASE, ensureDatabase } from './database.ts'
import { DataDirectoryInUse, EmbeddedPostgresError, messageOf } from './errors.ts'
import type { Installation, Log } from './installation.ts'
import { refuseLivingOwner, removeOwner, writeOwner } from './owner-file.ts'
import { PORT, removeSocketDirectory, socketDirectory } from './socket-directory.ts'
import { Supervisor } from './supervisor.ts'

export { DataDirectoryInUse, EmbeddedPostgresError }

/**
 * The Postgres nobody had to install: real Postgres, durable, on a Unix socket only, started with
 * the server, kept up while it runs, and never outliving it.
 *
 * Who does what, in the order of a start:
 *
 *   data-directory  where the data lie, and for root where its account can reach them
 *   account         as whom Postgres runs
 *   owner-file      is another server using the data?
 *   binaries        npm's, else the system's; linked or copied where need be
 *   cluster         initdb, on the first start
 *   supervisor      claim → postmaster + watcher → ready; and again whenever it ends unasked
 *   database        create database, on the first start
 */
export interface EmbeddedPostgresOptions {
  /** May be relative, and need not exist. */
  data_dir: string
  log: Log
  /** More Postgres settings, by name; they win over those in settings.ts but for the socket's. */
  settings?: Record<string, string>
  /** Where an ordinary user's copy of the binaries goes; ~/.cache/tailrace unless told. */
  cache_dir?: string
}

export interface EmbeddedPostgres {
  /** These four are what `pg` needs: { host: socket_dir, port, user, database }. */
  socket_dir: string
  port: number
  user: string
  database: string
  /** For the banner: 'Postgres 18.4 from npm'. */
  binaries: string
  /** Where the data really lie, which for root may be outside data_dir. */
  data_path: string
  /** Of the postmaster now running; undefined in the moment between two. */
  pid: () => number | undefined
  /** Ends it in good order and waits for that. May be called twice. */
  stop: () => Promise<void>
}

/** Resolves when Postgres accepts connections; rejects with one of the two errors in errors.ts. */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  try {
    const { installation, label } = await prepare(options)
    return await run(installation, label)
  } catch (error) {
    throw readable(error, options.data_dir)
  }
}

async function prepare({ data_dir, log, settings = {}, cache_dir }: EmbeddedPostgresOptions) {
  refuseWindows()
  const folder = openDataDirectory(data_dir)
  const existing = existingHome(folder)
  const account = databaseAccount(existing?.path ?? folder, existing)
  const home = existing?.path ?? createHome(folder, account)
  if (!canEnter(account, home)) throw unreachable(home, account)
  await refuseLivingOwner(home)
  const cluster = join(home, 'cluster')
  const { bin_dir, label } = await chooseBinaries(account, majorVersionOf(cluster), cache_dir)
  await ensureCluster(cluster, bin_dir, account)
  const socket_dir = socketDirectory(home, account)
  const installation = { home, cluster, socket_dir, bin_dir, account, settings, log }
  return { installation, label }
}

async function run(installation: Installation, label: string): Promise<EmbeddedPostgres> {
  const { home, socket_dir } = installation
  const supervisor = new Supervisor(installation)
  const end = async () => {
    await supervisor.stop()
    removeOwner(home)
    removeSocketDirectory(socket_dir, home)
  }
  await supervisor.start()
  try {
    await takeOwnership(installation)
    await ensureDatabase(socket_dir)
  } catch (error) {
    await end()
    throw error
  }
  supervisor.keepUp()
  installation.log.info(
    { pid: supervisor.pid(), binaries: label, data_path: home },
    'Postgres is up',
  )
  let ending: Promise<void> | undefined
  const stop = () => (ending ??= end())
  const pid = () => supervisor.pid()
  const connection = { socket_dir, port: PORT, user: SUPERUSER, database: DATABASE }
  return { ...connection, binaries: label, data_path: home, pid, stop }
}

/** Holding Postgres's lock by now; looked at again, for a server whose Postgres was just killed. */
async function takeOwnership(installation: Installation): Promise<void> {
  await refuseLivingOwner(installation.home)
  writeOwner(installation)
}

/** npm has binaries for it, but no Unix socket that Node reaches, no signals and no uids. */
function refuseWindows(): void {
  if (process.platform !== 'win32') return
  throw new EmbeddedPostgresError(
    'On Windows this server brings no Postgres of its own. Start it in WSL or Docker, ' +
      'or install Postgres 15 or later and set DATABASE_URL.',
  )
}

/** What the file system or the kernel refused, in a sentence that says what to do. */
function readable(error: unknown, data_dir: string): Error {
  if (error instanceof DataDirectoryInUse || error instanceof EmbeddedPostgresError) return error
  return new EmbeddedPostgresError(
    `The embedded Postgres could not be started in ${data_dir}: ${messageOf(error)}. ` +
      'Mend that, or choose another data directory, or set DATABASE_URL.',
    { cause: error },
  )
}
