import { makeWay } from './claim.ts'
import { EmbeddedPostgresError } from './errors.ts'
import type { Installation } from './installation.ts'
import { lastLines, logPath } from './postgres-log.ts'
import { readPostmasterFile } from './postmaster-file.ts'
import type { Postmaster } from './postmaster.ts'
import { spawnPostmaster } from './postmaster.ts'
import { becomesTrue } from './shut-down.ts'
import { ensureSocketDirectory } from './socket-directory.ts'

/** A postmaster that ended, or did not get ready in time, with its own words on it. */
export class PostmasterFailed extends EmbeddedPostgresError {
  /**
   * True for what passes: the processes of a killed postmaster hold its shared memory for a moment
   * longer, and a rival that has just taken the lock is recognised on the next attempt.
   */
  readonly is_passing: boolean

  constructor(how: string, said: string, { home }: Installation) {
    super(
      `Postgres did not start: ${how}. The end of ${logPath(home)}:\n${lastLines(said)}\n` +
        'Mend what it names and start again, or choose another data directory, or set DATABASE_URL.',
    )
    this.is_passing = /pre-existing shared memory block|lock file/.test(said)
  }
}

export interface StartOptions {
  patience_ms: number
  /** Gives up at once when the server is told to stop. */
  stopping: AbortSignal
  /** Called as soon as there is a process, so that it can be ended at any time. */
  onSpawn: (postmaster: Postmaster) => void
}

/** One attempt: returns a postmaster that accepts connections, or throws once it is gone. */
export async function startPostmaster(
  installation: Installation,
  { patience_ms, stopping, onSpawn }: StartOptions,
): Promise<Postmaster> {
  await makeWay(installation)
  ensureSocketDirectory(installation.socket_dir, installation.account)
  stopping.throwIfAborted()
  const postmaster = await spawnPostmaster(installation)
  onSpawn(postmaster)
  const isSettled = () =>
    stopping.aborted || postmaster.hasEnded() || isReady(installation, postmaster)
  const in_time = await becomesTrue(isSettled, patience_ms)
  stopping.throwIfAborted()
  if (in_time && !postmaster.hasEnded()) return postmaster
  const how = in_time ? await postmaster.ended : `not ready after ${patience_ms / 1000} s`
  throw new PostmasterFailed(how, postmaster.said(), installation)
}

/** Postgres says in its lock file that it is ready: cheaper to ask than by connecting, and sure to
 *  be about this one. */
function isReady({ cluster }: Installation, { pid }: Postmaster): boolean {
  const file = readPostmasterFile(cluster)
  return file?.pid === pid && file.is_ready
}
