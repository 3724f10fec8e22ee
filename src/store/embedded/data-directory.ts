import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Account, Ownership } from './account.ts'
import { canEnter } from './account.ts'
import { codeOf, EmbeddedPostgresError } from './errors.ts'
import { removeUnfinished, syncFolder, unfinishedName } from './unfinished.ts'

/**
 * Where the data lie.
 *
 *   <data_dir>/            made if missing, with a .gitignore of `*`; otherwise untouched
 *     postgres/            the home: 0700, owned by the account Postgres runs as
 *       cluster/           PGDATA
 *       socket/            the Unix socket, where the path is short enough
 *       postgres.log       what Postgres says (and postgres.log.1, the one before)
 *       server.pid         the server that owns all this
 *
 * When root starts it below folders that account cannot enter, the home lies in /var/lib/tailrace
 * and <data_dir>/postgres is a link to it. The link is the truth: it is followed on the next start
 * and still holds when <data_dir> is moved. We chmod and chown nothing that we did not create.
 */
export const SYSTEM_FOLDER = '/var/lib/tailrace'

/** Makes the folder if need be and returns its real path. */
export function openDataDirectory(data_dir: string): string {
  const path = resolve(data_dir)
  if (!existsSync(path)) {
    createOpenFolder(path)
    writeFileSync(join(path, '.gitignore'), '*\n')
    syncFolder(dirname(path))
  }
  return realpathSync(path)
}

/** 0755 whatever the umask: the account must be able to pass; what is secret lies deeper. */
export function createOpenFolder(path: string): void {
  if (mkdirSync(path, { recursive: true })) chmodSync(path, 0o755)
}

/** The home of an earlier start, or undefined on the first. */
export function existingHome(data_dir: string): ({ path: string } & Ownership) | undefined {
  const path = join(data_dir, 'postgres')
  if (!lstatSync(path, { throwIfNoEntry: false })) return undefined
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found) throw lostHome(path)
  return { path: realpathSync(path), uid: found.uid, gid: found.gid }
}

function lostHome(link: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `The data of this server lay in ${readlinkSync(link)}, and that folder is gone. ` +
      `Bring it back (was it in a container without a volume?), or delete ${link} to start empty.`,
  )
}

/** Makes the home; when another server makes it at the same moment, its home is ours too. */
export function createHome(data_dir: string, account: Account): string {
  const path = join(data_dir, 'postgres')
  removeUnfinished(path)
  if (canEnter(account, data_dir)) createPlainHome(path, account)
  else createLinkedHome(path, account)
  syncFolder(data_dir)
  return realpathSync(path)
}

/** Renamed into place only when it belongs to the account: a kill in between leaves no half. */
function createPlainHome(path: string, account: Account): void {
  const fresh = unfinishedName(path)
  createPrivateFolder(fresh, account)
  try {
    renameSync(fresh, path)
  } catch (error) {
    rmdirSync(fresh)
    if (!['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(codeOf(error) ?? '')) throw error
  }
}

function createLinkedHome(link: string, account: Account): void {
  createOpenFolder(SYSTEM_FOLDER)
  if (!canEnter(account, SYSTEM_FOLDER)) throw unreachable(SYSTEM_FOLDER, account)
  const target = join(SYSTEM_FOLDER, `data-${randomBytes(6).toString('hex')}`)
  createPrivateFolder(target, account)
  syncFolder(SYSTEM_FOLDER)
  try {
    symlinkSync(target, link)
  } catch (error) {
    rmdirSync(target)
    if (codeOf(error) !== 'EEXIST') throw error
  }
}

/** lchown, here and below: what the account could swap for a link must not lead root elsewhere. */
export function createPrivateFolder(path: string, account: Account): void {
  mkdirSync(path, { mode: 0o700 })
  if (account.switched) lchownSync(path, account.uid, account.gid)
}

export function unreachable(folder: string, account: Account): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `Postgres runs as ${account.name}, who cannot enter ${folder}. ` +
      'Open the folders above it (chmod o+x), or choose another data directory, or set DATABASE_URL.',
  )
}

/** The major version that made the cluster; undefined when there is none yet. */
export function majorVersionOf(cluster: string): number | undefined {
  if (!existsSync(cluster)) return undefined
  const version = Number.parseInt(readFileSync(join(cluster, 'PG_VERSION'), 'utf8'))
  if (Number.isInteger(version)) return version
  throw new EmbeddedPostgresError(`${cluster} is no Postgres data directory: move it aside.`)
}
