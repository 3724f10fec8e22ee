import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { commandOf, workingDirectoryOf } from './processes.ts'
import { ownerIn } from './settings.ts'

/**
 * Postgres's own lock: postmaster.pid, written when a postmaster takes the cluster, removed when it
 * leaves in good order, left behind by kill -9. Its lines: pid, data directory, start time, port,
 * socket directory, listen address, shared memory, status.
 */
export interface PostmasterFile {
  pid: number
  socket_dir: string
  is_ready: boolean
}

export function postmasterFilePath(cluster: string): string {
  return join(cluster, 'postmaster.pid')
}

/** Undefined when there is none, or it is just being written. */
export function readPostmasterFile(cluster: string): PostmasterFile | undefined {
  try {
    const lines = readFileSync(postmasterFilePath(cluster), 'utf8').split('\n')
    // A negative number is a single-user Postgres, as initdb runs it.
    const pid = Math.abs(Number.parseInt(lines[0] ?? ''))
    if (!pid) return undefined
    return { pid, socket_dir: lines[4] ?? '', is_ready: lines[7]?.trim() === 'ready' }
  } catch {
    return undefined
  }
}

/**
 * What the process of that number is to this cluster:
 *
 *   dead       there is none
 *   ours       a postmaster on this cluster that a Tailrace server started
 *   foreign    a postmaster on this cluster (or perhaps on it) that somebody else started
 *   unrelated  something else that has got the number since
 *
 * Nothing but `ours` is ever signalled.
 */
export type Relation = 'dead' | 'ours' | 'foreign' | 'unrelated'

export function relationTo(cluster: string, pid: number): Relation {
  const command = commandOf(pid)
  if (command === undefined) return 'dead'
  if (!isPostmaster(command.program)) return 'unrelated'
  const folder = workingDirectoryOf(pid) // a postmaster works in its cluster, and follows a move
  if (folder === cluster || command.line.includes(` -D ${cluster} `)) {
    return ownerIn(command.line) ? 'ours' : 'foreign'
  }
  const elsewhere = folder !== undefined || command.line.includes(' -D /')
  return elsewhere ? 'unrelated' : 'foreign'
}

/** The children of a postmaster call themselves 'postgres: walwriter' and the like. */
function isPostmaster(program: string): boolean {
  return ['postgres', 'postmaster'].includes(basename(program))
}
