import pg from 'pg'
import { ProblemError } from '../contract/problem-error.ts'

/** SQLSTATEs that mean: nothing was written, and the same statement may succeed if sent again. */
const TRY_AGAIN = new Set(['23505', '40001', '40P01'])
const LOCK_NOT_AVAILABLE = '55P03'
/** The session was ended from outside; a commit may have been waiting for a standby. */
const SESSION_ENDED = new Set(['57P01', '57P02', '57P04'])

/** The connection could not be had at all, so the statement was never sent. */
export class NotConnected extends Error {
  constructor(cause: unknown) {
    super('no database connection', { cause })
    this.name = 'NotConnected'
  }
}

export function isLockTimeout(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === LOCK_NOT_AVAILABLE
}

export function mayTryAgain(error: unknown): boolean {
  return error instanceof pg.DatabaseError && TRY_AGAIN.has(error.code ?? '')
}

/** Did a failed write store anything? Only an answer of the server itself says no. */
export function writtenAfter(error: unknown): 'no' | 'unknown' {
  if (error instanceof NotConnected) return 'no'
  return error instanceof pg.DatabaseError && !SESSION_ENDED.has(error.code ?? '')
    ? 'no'
    : 'unknown'
}

const CONNECTION_TROUBLE = /^(08|53|57P|58|25006|XX00[12])/
const NETWORK_CODES = /^(E[A-Z]+|08...)$/

/** Is this the database being away, rather than a mistake of ours? */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof NotConnected) return true
  if (error instanceof pg.DatabaseError) return CONNECTION_TROUBLE.test(error.code ?? '')
  const { code, message } = error as { code?: unknown; message?: unknown }
  return (
    (typeof code === 'string' && NETWORK_CODES.test(code)) ||
    /connection|timeout|terminated|not queryable|client has encountered/i.test(String(message))
  )
}

/**
 * The problem a caller is told of when the control plane or a read fails. `written`: what is known of a
 * write; undefined for reads.
 */
export function storeProblem(error: unknown, written?: 'no' | 'unknown'): unknown {
  if (error instanceof ProblemError) return error
  const details = { cause: error, retry_after_s: 1, ...(written ? { written } : {}) }
  if (isLockTimeout(error)) {
    const detail = 'A partition of the topic is locked by another session.'
    return new ProblemError('partition_busy', detail, details)
  }
  if (!isUnavailable(error)) return error
  return new ProblemError('store_unavailable', 'The database does not answer.', details)
}
