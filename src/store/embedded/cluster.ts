import { execFile } from 'node:child_process'
import { existsSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Account } from './account.ts'
import { spawnAs } from './account.ts'
import { codeOf, EmbeddedPostgresError, messageOf } from './errors.ts'
import { POSTGRES_ENVIRONMENT } from './installation.ts'
import { removeQuietly, removeUnfinished, syncFolder, unfinishedName } from './unfinished.ts'

export const SUPERUSER = 'tailrace'

/**
 * Makes the cluster on the first start. initdb works in a sibling folder that is renamed when it
 * is done, so a kill in between leaves litter that the next start removes, never half a cluster.
 * Two servers may both get here: the slower one finds the name taken and throws its own work away.
 */
export async function ensureCluster(
  cluster: string,
  bin_dir: string,
  account: Account,
): Promise<void> {
  removeUnfinished(cluster)
  if (existsSync(cluster)) return
  const fresh = unfinishedName(cluster)
  await initdb(fresh, bin_dir, account)
  publish(fresh, cluster)
  syncFolder(dirname(cluster))
}

/**
 * `trust` for the socket: the server may well be root talking to a Postgres of another uid, so
 * `peer` would need a map; and who can reach the socket is settled by its 0700 folder. TCP is not
 * listened on, and rejected all the same, should someone turn it on.
 *
 * C locale: no collation that changes under the indexes with the next libc. Checksums are the
 * default from 18 on; this asks for them on 15 to 17 too. Nothing here skips the final fsync.
 */
async function initdb(folder: string, bin_dir: string, account: Account): Promise<void> {
  const options = ['--encoding=UTF8', '--locale=C', '--data-checksums', '--no-instructions']
  const access = [`--username=${SUPERUSER}`, '--auth-local=trust', '--auth-host=reject']
  try {
    const args = ['-D', folder, ...options, ...access]
    await promisify(execFile)(join(bin_dir, 'initdb'), args, {
      cwd: '/',
      env: POSTGRES_ENVIRONMENT,
      ...spawnAs(account),
    })
  } catch (error) {
    removeQuietly(folder)
    throw initdbFailed(error, account)
  }
}

function publish(fresh: string, cluster: string): void {
  try {
    renameSync(fresh, cluster)
  } catch (error) {
    removeQuietly(fresh)
    if (!['ENOTEMPTY', 'EEXIST'].includes(codeOf(error) ?? '')) throw error
  }
}

function initdbFailed(error: unknown, account: Account): EmbeddedPostgresError {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
  if (said.includes('could not look up effective user ID')) {
    return new EmbeddedPostgresError(
      `This server runs as ${account.name}, which /etc/passwd does not know, and Postgres insists ` +
        'on that. Run it as a user with an entry there (docker run --user), or set DATABASE_URL.',
      { cause: error },
    )
  }
  return new EmbeddedPostgresError(
    `Postgres could not make its data directory: ${said || messageOf(error)}\n` +
      'Mend that and start again, or choose another data directory, or set DATABASE_URL.',
    { cause: error },
  )
}
