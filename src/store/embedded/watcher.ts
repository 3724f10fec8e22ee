import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { spawnAs } from './account.ts'
import type { Installation } from './installation.ts'
import { POSTGRES_ENVIRONMENT } from './installation.ts'
import { postmasterFilePath } from './postmaster-file.ts'

/**
 * Lets no Postgres outlive its server.
 *
 * The watcher, a shell, reads from a pipe whose other end only the server holds. A line means "no
 * longer needed". End of file means that the server is gone, however it went, kill -9 included:
 * then the postmaster gets SIGINT, and SIGQUIT when that has not helped within ten seconds. It is
 * signalled only while postmaster.pid names it, for its number may be somebody else's by then; and
 * it is waited for, as a server killed early dies before its postmaster has written that file.
 */
const SCRIPT = `
trap '' INT TERM HUP
if read -r line; then exit 0; fi
told=
n=0
while [ $n -lt 110 ] && kill -0 "$1"; do
  holder=
  read -r holder < "$2"
  if [ "$holder" = "$1" ]; then
    if [ -z "$told" ]; then kill -INT "$1"; told=yes; n=0; fi
    if [ $n -eq 100 ]; then kill -QUIT "$1"; fi
  elif [ -n "$told" ]; then
    exit 0
  fi
  n=$((n + 1))
  sleep 0.1
done
`

export interface Watcher {
  /** Sends it away; to be called once the postmaster is gone. */
  dismiss: () => void
}

export function spawnWatcher(installation: Installation, pid: number): Watcher {
  const arguments_ = ['-c', SCRIPT, 'tailrace-watcher', `${pid}`]
  const child = spawn('/bin/sh', [...arguments_, postmasterFilePath(installation.cluster)], {
    cwd: '/',
    env: POSTGRES_ENVIRONMENT,
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    ...spawnAs(installation.account),
  })
  // Without a shell (distroless) the next start still ends an orphan; see claim.ts.
  child.once('error', (error) => {
    installation.log.warn({ err: error }, 'Nothing watches over Postgres: /bin/sh does not start')
  })
  letServerExit(child)
  return { dismiss: () => child.stdin.end('\n') }
}

/** Neither the child nor the pipe to it is a reason for the server to stay alive. */
function letServerExit(child: ChildProcess): void {
  child.stdin?.on('error', () => {
    // The watcher went first; nothing is lost by a line it did not read.
  })
  child.unref()
  const pipe = child.stdin as Socket | null
  pipe?.unref()
}
