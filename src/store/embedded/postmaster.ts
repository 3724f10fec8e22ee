import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import { join } from 'node:path'
import { spawnAs } from './account.ts'
import type { Installation } from './installation.ts'
import { POSTGRES_ENVIRONMENT } from './installation.ts'
import { logSince, openLog } from './postgres-log.ts'
import { ownIdentity } from './processes.ts'
import { serverArguments } from './settings.ts'
import { spawnWatcher } from './watcher.ts'

/** One running Postgres: the main process, its watcher, and where its words begin in the log. */
export interface Postmaster {
  pid: number
  /** Settles when it has ended, with how: 'exit code 1', 'SIGKILL'. */
  ended: Promise<string>
  hasEnded: () => boolean
  signal: (name: NodeJS.Signals) => void
  /** What it has written to the log so far. */
  said: () => string
}

/**
 * Detached, that is in a session of its own: Ctrl-C goes to every process of the terminal, and
 * would otherwise stop Postgres under a server that still has answers to finish.
 */
export async function spawnPostmaster(installation: Installation): Promise<Postmaster> {
  const { descriptor, offset } = openLog(installation)
  try {
    const child = spawnChild(installation, descriptor)
    const pid = await pidOf(child)
    const watcher = spawnWatcher(installation, pid)
    child.once('exit', () => {
      watcher.dismiss()
    })
    return describe(child, pid, () => logSince(installation.home, offset))
  } finally {
    closeSync(descriptor)
  }
}

function spawnChild(installation: Installation, log_descriptor: number): ChildProcess {
  const program = join(installation.bin_dir, 'postgres')
  const child = spawn(program, serverArguments(installation, ownIdentity()), {
    cwd: '/',
    env: POSTGRES_ENVIRONMENT,
    detached: true,
    stdio: ['ignore', log_descriptor, log_descriptor],
    ...spawnAs(installation.account),
  })
  child.unref() // Postgres serves the server; it is no reason for it to live on
  return child
}

/** The pid is there at once, or never and an 'error' event says why. */
function pidOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on('error', reject) // stays: a failing kill is reported here as well
    if (child.pid !== undefined) resolve(child.pid)
  })
}

function describe(child: ChildProcess, pid: number, said: () => string): Postmaster {
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve(signal ?? `exit code ${code}`)
    })
  })
  return {
    pid,
    ended,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    signal: (name) => child.kill(name),
    said,
  }
}
