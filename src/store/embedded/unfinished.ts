import { closeSync, fsyncSync, openSync, readdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isAlive, ownIdentity } from './processes.ts'

/**
 * Folders that take a while to fill (a copy of the binaries, a fresh cluster) are filled under
 * another name and renamed when complete, so what carries the final name is always whole. The other
 * name holds its maker's identity: one left by a killed server is recognised and removed, one that
 * a server starting at this very moment still fills is left alone.
 */
const MARK = '.new-'

export function unfinishedName(path: string): string {
  const { pid, started } = ownIdentity()
  const random = Math.random().toString(36).slice(2, 8)
  return `${path}${MARK}${pid}-${started}-${random}`
}

/** Removes what killed servers left beside `path`. */
export function removeUnfinished(path: string): void {
  const prefix = `${basename(path)}${MARK}`
  for (const name of readdirSync(dirname(path))) {
    if (name.startsWith(prefix) && !isBeingFilled(name.slice(prefix.length))) {
      removeQuietly(join(dirname(path), name))
    }
  }
}

function isBeingFilled(tail: string): boolean {
  const [, pid, started = ''] = /^(\d+)-(.*)-\w+$/.exec(tail) ?? []
  return isAlive({ pid: Number(pid), started })
}

/** An initdb that outlived its server may still write in there: what resists goes next time. */
export function removeQuietly(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 })
  } catch {
    // Litter, not harm.
  }
}

/**
 * After a power cut a new name is only certain once its folder was synced: Postgres syncs the files
 * it wrote, not the names we gave them. Best effort above our own folders, which may not be read.
 */
export function syncFolder(folder: string): void {
  try {
    const descriptor = openSync(folder, 'r')
    fsyncSync(descriptor)
    closeSync(descriptor)
  } catch {
    // Nothing more can be done, and nothing is broken yet.
  }
}
