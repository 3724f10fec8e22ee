import { createHash } from 'node:crypto'
import { existsSync, lchownSync, lstatSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Account } from './account.ts'
import { canEnter } from './account.ts'
import { createPrivateFolder } from './data-directory.ts'
import { codeOf, EmbeddedPostgresError } from './errors.ts'

/** Any number would do: the folder is ours alone, and nothing listens on TCP. */
export const PORT = 5432

export const SOCKET_NAME = `.s.PGSQL.${PORT}`

/** What the kernel takes as the path of a Unix socket, without its closing NUL. */
const LONGEST_PATH_BYTES = process.platform === 'darwin' ? 103 : 107

/**
 * Beside the data, so that a server in another container finds it as well; where that path is too
 * long, in a short folder whose name follows from the data's path, so that it is found all the same.
 */
export function socketDirectory(home: string, account: Account): string {
  const short = `tailrace-${createHash('sha256').update(home).digest('hex').slice(0, 16)}`
  const candidates = [join(home, 'socket'), join(tmpdir(), short), join('/tmp', short)]
  const found = candidates.find((path) => fits(path) && canEnter(account, dirname(path)))
  if (found) return found
  throw new EmbeddedPostgresError(
    `No folder for the socket of Postgres: ${candidates[0]} is too long a path, and ${account.name} ` +
      `cannot use ${tmpdir()}. Choose a data directory with a shorter path, or set DATABASE_URL.`,
  )
}

function fits(folder: string): boolean {
  return Buffer.byteLength(join(folder, SOCKET_NAME)) <= LONGEST_PATH_BYTES
}

/**
 * Makes the folder, or finds it good: /tmp is open to all, and whoever owned our folder there could
 * answer in the place of Postgres. One still owned by ourselves was left between mkdir and chown.
 */
export function ensureSocketDirectory(folder: string, account: Account): void {
  try {
    createPrivateFolder(folder, account)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
  const { uid, mode } = lstatSync(folder)
  const mine = uid === account.uid || uid === process.getuid?.()
  const closed = lstatSync(folder).isDirectory() && (mode & 0o077) === 0
  if (!mine || !closed) throw notPrivate(folder, uid)
  if (uid !== account.uid) lchownSync(folder, account.uid, account.gid)
}

function notPrivate(folder: string, uid: number): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `The socket of Postgres belongs in ${folder}, which exists, owned by uid ${uid}, and is not ` +
      'private to this server. Remove it, or choose a data directory with a shorter path.',
  )
}

/** Leaves nothing in /tmp; a folder beside the data stays. */
export function removeSocketDirectory(folder: string, home: string): void {
  if (folder.startsWith(home) || !existsSync(folder)) return
  try {
    rmdirSync(folder)
  } catch {
    // Not empty: the next server is already there.
  }
}
