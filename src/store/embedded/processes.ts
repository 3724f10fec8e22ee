import { spawnSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'

/**
 * Who is running, told apart from who was running.
 *
 * A pid alone proves nothing: in a container the server is pid 1 or 7 every time, so a file left by
 * a killed server names a pid that lives again as something else. A pid together with the moment
 * its process began, and the boot it began in, is never used twice.
 */
export interface Identity {
  pid: number
  started: string
}

/** When a living process began, in words only good for comparing; undefined for a dead one. */
function startOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return psColumn(pid, 'lstart')?.replace(/\s+/g, '_')
  const stat = readOrUndefined(`/proc/${pid}/stat`)
  // The name, field 2, may itself hold spaces and brackets: count the fields after the last one.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (!fields || fields[0] === 'Z' || fields[0] === 'X') return undefined
  return `${fields[19]}-${bootId()}`
}

/** This very process. */
export function ownIdentity(): Identity {
  return { pid: process.pid, started: startOf(process.pid) ?? 'unknown' }
}

export function isAlive(identity: Identity): boolean {
  return startOf(identity.pid) === identity.started
}

export interface Command {
  program: string
  /** The program and its arguments, joined with spaces. */
  line: string
}

/** What a process was started as; undefined when there is no such process (or a zombie). */
export function commandOf(pid: number): Command | undefined {
  if (process.platform !== 'linux') {
    const line = psColumn(pid, 'command')
    return line ? { program: line.replace(/ -.*/s, ''), line } : undefined
  }
  const words = readOrUndefined(`/proc/${pid}/cmdline`)?.split('\0')
  return words?.[0] ? { program: words[0], line: words.join(' ') } : undefined
}

/** Its working directory, where the system lets us look. */
export function workingDirectoryOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return undefined
  }
}

/** Start times count from boot, so two boots may give two processes the same one. */
function bootId(): string {
  return readOrUndefined('/proc/sys/kernel/random/boot_id')?.slice(0, 8) ?? 'boot'
}

function psColumn(pid: number, column: string): string | undefined {
  const columns = ['-ww', '-o', `${column}=`, '-p', `${pid}`]
  const { stdout } = spawnSync('/bin/ps', columns, {
    env: { LC_ALL: 'C', TZ: 'UTC' },
    encoding: 'utf8',
  })
  return stdout.trim() || undefined
}

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
