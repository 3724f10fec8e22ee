import { PORT } from './socket-directory.ts'
import type { Installation } from './installation.ts'
import type { Identity } from './processes.ts'

/**
 * How Postgres is set, all on its command line: that way it also holds for a cluster made by an
 * older release, and over whatever stands in postgresql.conf or came in by ALTER SYSTEM.
 */
const DEFAULTS: Record<string, string> = {
  // An acknowledged record has reached the disk. These three are Postgres's own defaults, said
  // aloud so that nothing lowers them unseen.
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',

  // Each connection is a process; the pools of one server need fewer than half of these.
  max_connections: '50',

  // Enough for pg_basebackup and a standby, should somebody want one.
  wal_level: 'replica',

  // The first change to a page after a checkpoint puts the whole page into the WAL. With the stock
  // 5 min and 1 GB a busy log checkpoints so often that much of its WAL is such pages; these bounds
  // make that several times rarer. The price: up to 4 GB of pg_wal on disk, and a longer recovery
  // after a crash.
  checkpoint_timeout: '15min',
  max_wal_size: '4GB',

  // The same answers on every machine, and names that explain themselves in `ps`.
  timezone: 'UTC',
  log_timezone: 'UTC',
  cluster_name: 'tailrace',
}

/**
 * The server that a postmaster belongs to stands on its command line. So ownership begins in the
 * very moment the postmaster does, and no file can say otherwise; `ps` and `show tailrace.owner`
 * tell it too.
 */
const OWNER = 'tailrace.owner'

export function ownerIn(command: string): Identity | undefined {
  const found = new RegExp(` ${OWNER}=(\\d+)@(\\S+)`).exec(command)
  return found ? { pid: Number(found[1]), started: found[2] ?? '' } : undefined
}

/** The arguments of a postmaster; what reaches it and who owns it cannot be overridden. */
export function serverArguments(installation: Installation, owner: Identity): string[] {
  const settings = {
    ...DEFAULTS,
    ...installation.settings,
    listen_addresses: '',
    port: String(PORT),
    unix_socket_directories: quotedForList(installation.socket_dir),
    unix_socket_permissions: '0700',
    [OWNER]: `${owner.pid}@${owner.started}`,
  }
  const switches = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  return ['-D', installation.cluster, ...switches]
}

/** The setting is a list: unquoted, a comma in the path would end it. */
function quotedForList(path: string): string {
  return `"${path.replaceAll('"', '""')}"`
}
