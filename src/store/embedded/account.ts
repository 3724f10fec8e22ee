import { readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { EmbeddedPostgresError } from './errors.ts'

/**
 * As whom Postgres runs.
 *
 * Postgres refuses to run as root. An ordinary user runs it as himself; root lends it the uid of
 * `postgres`, or else of nobody, and creates no account for it. Data that already exist decide by
 * themselves: they can only be opened by the uid that owns them, so that is the one we take, even
 * where the image has meanwhile given `postgres` another number.
 */
export interface Account {
  uid: number
  gid: number
  name: string
  /** True when Postgres runs as somebody else than this process, which then is root. */
  switched: boolean
}

const NOBODY_UID = 65534

export interface Ownership {
  uid: number
  gid: number
}

export function databaseAccount(data_path: string, existing: Ownership | undefined): Account {
  const own_uid = process.getuid?.() ?? -1
  if (own_uid !== 0) return ownAccount(own_uid, data_path, existing)
  if (!existing) return accountForRoot()
  if (existing.uid === 0) {
    throw new EmbeddedPostgresError(
      `${data_path} belongs to root, and Postgres does not run as root. ` +
        'Remove that folder if it is empty, or choose another data directory, or set DATABASE_URL.',
    )
  }
  const name = passwdEntries().find((entry) => entry.uid === existing.uid)?.name
  return { ...existing, name: name ?? `uid ${existing.uid}`, switched: true }
}

function ownAccount(uid: number, data_path: string, existing: Ownership | undefined): Account {
  const name = passwdEntries().find((entry) => entry.uid === uid)?.name ?? `uid ${uid}`
  if (existing && existing.uid !== uid) {
    throw new EmbeddedPostgresError(
      `The data in ${data_path} belong to uid ${existing.uid}, and this server runs as ${name}. ` +
        'Run it as the user who made them (or as root), or choose another data directory.',
    )
  }
  return { uid, gid: process.getgid?.() ?? -1, name, switched: false }
}

function accountForRoot(): Account {
  const entries = passwdEntries()
  const entry =
    entries.find((candidate) => candidate.name === 'postgres') ??
    entries.find((candidate) => candidate.uid === NOBODY_UID)
  if (entry) return { ...entry, switched: true }
  throw new EmbeddedPostgresError(
    'Postgres does not run as root, and /etc/passwd has neither an account named postgres nor ' +
      `one with uid ${NOBODY_UID} to lend it. Add one (useradd --system postgres; on Alpine ` +
      'adduser -S postgres), or run this server as an ordinary user, or set DATABASE_URL.',
  )
}

/** /etc/passwd, read by hand: slim images carry neither `id` nor `getent`. */
function passwdEntries(): { name: string; uid: number; gid: number }[] {
  let text = ''
  try {
    text = readFileSync('/etc/passwd', 'utf8')
  } catch {
    // No such file (distroless): the same as an empty one.
  }
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 4)
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
}

/**
 * Can this account walk into the folder? A fresh clone in root's home has parents of mode 0700
 * that the borrowed uid cannot pass, whatever the mode of the folder itself.
 */
export function canEnter(account: Account, folder: string): boolean {
  if (!account.switched) return true
  for (let path = folder; ; path = dirname(path)) {
    if (!mayPass(account, path)) return false
    if (path === dirname(path)) return true
  }
}

/** The first class that fits decides, as in the kernel: an owner without x is not let in as other. */
function mayPass(account: Account, folder: string): boolean {
  const { uid, gid, mode } = statSync(folder)
  if (uid === account.uid) return (mode & 0o100) !== 0
  if (gid === account.gid) return (mode & 0o010) !== 0
  return (mode & 0o001) !== 0
}

/** What `spawn` needs to become that account; Node drops the supplementary groups as well. */
export function spawnAs(account: Account): { uid?: number; gid?: number } {
  return account.switched ? { uid: account.uid, gid: account.gid } : {}
}
