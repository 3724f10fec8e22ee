import {
  chmodSync,
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
} from 'node:fs'
import { cp } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Account } from './account.ts'
import { canEnter } from './account.ts'
import { createOpenFolder, SYSTEM_FOLDER } from './data-directory.ts'
import { EmbeddedPostgresError, messageOf } from './errors.ts'
import type { NpmPackage } from './npm-binaries.ts'
import { linkLibraries } from './npm-binaries.ts'
import { removeQuietly, removeUnfinished, syncFolder, unfinishedName } from './unfinished.ts'

/**
 * A copy of the npm binaries (60 MB, once per version), for the two cases in which the package
 * itself cannot be used: its folder may not be written, so the library links cannot be made; or
 * Postgres runs as another account that cannot enter it, as with a fresh clone in root's 0700 home.
 */
export async function copyOfBinaries(
  found: NpmPackage,
  account: Account,
  folders: string[],
): Promise<string> {
  const failures: string[] = []
  for (const folder of folders) {
    try {
      const copy = await copyInto(folder, found)
      if (canEnter(account, join(copy, 'bin'))) return copy
      failures.push(`${account.name} cannot enter ${copy}`)
    } catch (error) {
      failures.push(messageOf(error))
    }
  }
  throw new EmbeddedPostgresError(
    `The Postgres binaries in ${found.native} cannot be used in place, and no copy could be made ` +
      `(${failures.join('; ')}). Install the project in a folder others may enter, or set DATABASE_URL.`,
  )
}

/** Where copies may lie, best first. Root's own cache is the one place the account cannot enter. */
export function copyFolders(account: Account, cache_dir: string | undefined): string[] {
  const shared = join(tmpdir(), `tailrace-cache-${process.getuid?.() ?? 0}`)
  return account.switched ? [SYSTEM_FOLDER, shared] : [cache_dir ?? homeCache() ?? shared, shared]
}

function homeCache(): string | undefined {
  try {
    return join(homedir(), '.cache', 'tailrace')
  } catch {
    return undefined // neither HOME nor an entry in /etc/passwd
  }
}

async function copyInto(folder: string, found: NpmPackage): Promise<string> {
  createOpenFolder(folder)
  if (!isTrusted(folder)) throw new Error(`${folder} may be written by others`)
  const copy = join(folder, `postgres-${found.version}-${process.arch}`)
  if (isTrusted(copy)) return copy
  removeUnfinished(copy)
  const fresh = unfinishedName(copy)
  await cp(found.native, fresh, { recursive: true, mode: constants.COPYFILE_FICLONE })
  if (!linkLibraries(fresh)) throw new Error(`${fresh} cannot be written`)
  openToAll(fresh)
  publish(fresh, copy)
  return copy
}

/** Ours alone: a folder under /tmp that another user filled would run his program as us. */
function isTrusted(folder: string): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false })
  if (!found?.isDirectory()) return false
  return found.uid === process.getuid?.() && (found.mode & 0o022) === 0
}

/**
 * An install under umask 077 is readable to its owner only, and so would be its copy. Each file is
 * synced too: after a power cut the final name must not stand for empty files.
 */
function openToAll(folder: string): void {
  chmodSync(folder, 0o755)
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) openToAll(path)
    if (entry.isFile()) openFileToAll(path)
  }
}

function openFileToAll(path: string): void {
  const executable = (lstatSync(path).mode & 0o100) !== 0
  chmodSync(path, executable ? 0o755 : 0o644)
  const descriptor = openSync(path, 'r')
  fsyncSync(descriptor)
  closeSync(descriptor)
}

/** When another server was faster its copy is as good as ours. */
function publish(fresh: string, copy: string): void {
  try {
    renameSync(fresh, copy)
    syncFolder(dirname(copy))
  } catch (error) {
    removeQuietly(fresh)
    if (!isTrusted(copy)) throw error
  }
}
