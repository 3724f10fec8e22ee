import {
  constants,
  fchownSync,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Installation } from './installation.ts'

/**
 * What Postgres says goes straight to a file: a pipe through the server would break, and take
 * Postgres down in mid-sentence, when the server dies first.
 */
const LARGEST_BYTES = 10 * 1024 * 1024

export function logPath(home: string): string {
  return join(home, 'postgres.log')
}

/** Opens it to append, setting a large one aside; says where the new text will begin. */
export function openLog({ home, account }: Installation): { descriptor: number; offset: number } {
  const path = logPath(home)
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > LARGEST_BYTES) {
    renameSync(path, `${path}.1`)
  }
  // The folder belongs to the account, not to us: a link it planted must not lead root elsewhere.
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW
  const descriptor = openSync(path, flags, 0o600)
  if (account.switched) fchownSync(descriptor, account.uid, account.gid)
  return { descriptor, offset: fstatSync(descriptor).size }
}

/** What was written since then. */
export function logSince(home: string, offset: number): string {
  try {
    return readFileSync(logPath(home)).subarray(offset).toString('utf8')
  } catch {
    return ''
  }
}

export function lastLines(text: string, count = 12): string {
  return text.trimEnd().split('\n').slice(-count).join('\n')
}
