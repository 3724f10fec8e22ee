import { readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { DataDirectoryInUse, EmbeddedPostgresError } from './errors.ts'
import type { Installation } from './installation.ts'
import { staysAlive } from './owner-file.ts'
import type { PostmasterFile } from './postmaster-file.ts'
import { postmasterFilePath, readPostmasterFile, relationTo } from './postmaster-file.ts'
import { commandOf } from './processes.ts'
import { ownerIn } from './settings.ts'
import { shutDown } from './shut-down.ts'
import { SOCKET_NAME } from './socket-directory.ts'

/**
 * Makes way for a postmaster of ours, or says who is in it.
 *
 * Postgres takes its own lock when it starts, and of two servers starting at once one postmaster
 * wins by it. This comes before, for what that lock cannot do: tell a second server from a Postgres
 * whose server was killed, end the latter, and see through a pid that has been used again.
 */
export async function makeWay(installation: Installation): Promise<void> {
  const { cluster, home } = installation
  const file = readPostmasterFile(cluster)
  if (!file) return
  const relation = relationTo(cluster, file.pid)
  if (relation === 'ours') return endOrphan(installation, file.pid)
  if (relation === 'foreign') {
    throw new DataDirectoryInUse(home, `A Postgres (process ${file.pid})`, file.pid)
  }
  await refuseUnseen(installation, file)
  if (relation === 'unrelated') removeStaleLocks(installation)
}

/** A postmaster whose server lives is in use; one whose server died is usually leaving already. */
async function endOrphan({ home, cluster, log }: Installation, pid: number): Promise<void> {
  const owner = ownerIn(commandOf(pid)?.line ?? '')
  if (owner && (await staysAlive(owner))) {
    throw new DataDirectoryInUse(home, `Another Tailrace server (process ${owner.pid})`, owner.pid)
  }
  const isGone = () => relationTo(cluster, pid) !== 'ours'
  if (isGone()) return
  log.warn({ pid }, 'A Postgres outlived its server; stopping it first')
  if (
    await shutDown((name) => {
      signalQuietly(pid, name)
    }, isGone)
  )
    return
  throw new EmbeddedPostgresError(
    `An old Postgres (process ${pid}) holds ${cluster} and does not end. Type: kill -9 ${pid}`,
  )
}

/** It may be gone in this very moment, or not ours to signal: what counts is whether it goes. */
function signalQuietly(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // Seen by the caller as a process that stays, or as one that is gone.
  }
}

/**
 * Two containers sharing a volume do not see each other's processes, nor the shared memory by which
 * Postgres guards itself. The socket lies on the volume and does cross over: if it answers, there
 * is a Postgres behind it.
 */
async function refuseUnseen({ home, socket_dir }: Installation, file: PostmasterFile) {
  for (const folder of new Set([socket_dir, file.socket_dir])) {
    if (folder && (await answers(join(folder, SOCKET_NAME)))) {
      throw new DataDirectoryInUse(home, 'A Postgres out of sight, perhaps in another container,')
    }
  }
}

function answers(socket_path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socket_path)
    const settle = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(1000, () => {
      settle(false)
    })
    socket.once('connect', () => {
      settle(true)
    })
    socket.once('error', () => {
      settle(false)
    })
  })
}

/**
 * Postgres drops a lock whose process is dead, but takes any living process of that number for its
 * rival. Read once more right before, so as not to take the lock of one that has come up since.
 */
function removeStaleLocks({ cluster, socket_dir }: Installation): void {
  for (const path of [postmasterFilePath(cluster), join(socket_dir, `${SOCKET_NAME}.lock`)]) {
    const pid = pidIn(path)
    if (pid && relationTo(cluster, pid) === 'unrelated') rmSync(path, { force: true })
  }
}

function pidIn(path: string): number {
  try {
    return Number.parseInt(readFileSync(path, 'utf8'))
  } catch {
    return 0
  }
}
