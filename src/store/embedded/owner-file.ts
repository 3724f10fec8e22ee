import {
  closeSync,
  fchownSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DataDirectoryInUse } from './errors.ts'
import type { Installation } from './installation.ts'
import type { Identity } from './processes.ts'
import { isAlive, ownIdentity } from './processes.ts'
import { becomesTrue } from './shut-down.ts'
import { unfinishedName } from './unfinished.ts'

/**
 * server.pid names the server that has the data open.
 *
 * It is not the lock: that is Postgres's own, and only who holds that one writes this. It closes
 * the one gap in it: for the moment in which a killed Postgres is being started again the server
 * still owns the data, and a second one must not slip in.
 */
function ownerPath(home: string): string {
  return join(home, 'server.pid')
}

function readOwner(home: string): Identity | undefined {
  try {
    const owner = JSON.parse(readFileSync(ownerPath(home), 'utf8')) as Partial<Identity>
    return owner.pid && owner.started ? { pid: owner.pid, started: owner.started } : undefined
  } catch {
    return undefined // none, or not ours to read: then the cluster is not either
  }
}

/** Also refuses this very process: one start may be open per directory. */
export async function refuseLivingOwner(home: string): Promise<void> {
  const owner = readOwner(home)
  if (owner && (await staysAlive(owner))) {
    throw new DataDirectoryInUse(home, `Another Tailrace server (process ${owner.pid})`, owner.pid)
  }
}

/** After `kill -9 … && start again` the kernel may still be clearing the old one away. */
const DYING_MS = 500

export async function staysAlive(owner: Identity): Promise<boolean> {
  if (owner.pid === process.pid) return isAlive(owner)
  return !(await becomesTrue(() => !isAlive(owner), DYING_MS))
}

/** By way of a rename, so that a reader sees the whole file or none, and no link is followed. */
export function writeOwner({ home, account }: Installation): void {
  const fresh = unfinishedName(ownerPath(home))
  const descriptor = openSync(fresh, 'wx', 0o600)
  writeFileSync(descriptor, `${JSON.stringify(ownIdentity())}\n`)
  if (account.switched) fchownSync(descriptor, account.uid, account.gid)
  closeSync(descriptor)
  renameSync(fresh, ownerPath(home))
}

export function removeOwner(home: string): void {
  const own = ownIdentity()
  const owner = readOwner(home)
  if (owner?.pid === own.pid && owner.started === own.started) {
    rmSync(ownerPath(home), { force: true })
  }
}
