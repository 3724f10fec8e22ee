/**
 * The two ways a start can fail that a person must read. Both messages say what happened, what it
 * means and what to type next; whoever catches them prints the message and leaves the stack alone.
 */

/** Anything but a second server: no binaries, wrong owner, wrong version, Postgres said no. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError'
}

/** Somebody else has this data directory open, and two servers on one directory cannot be. */
export class DataDirectoryInUse extends Error {
  override readonly name = 'DataDirectoryInUse'
  readonly data_path: string
  /** The process to stop; undefined when it runs where this one cannot see it. */
  readonly pid: number | undefined

  constructor(data_path: string, holder: string, pid?: number) {
    const stop = pid === undefined ? 'Stop it there' : `Stop it first (kill ${pid})`
    super(
      `${holder} already uses the data in ${data_path}. ` +
        `${stop}, or give this server a data directory of its own, or set DATABASE_URL.`,
    )
    this.data_path = data_path
    this.pid = pid
  }
}

/** The `code` of a Node system error ('ENOENT'), or undefined for anything else. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
