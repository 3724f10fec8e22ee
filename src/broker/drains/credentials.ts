import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { DrainRow } from '../../store/drains.ts'

/** Says in a log or a paste what it is. */
const PREFIX = 'trd_'
const RANDOM_BYTES = 24

/**
 * A credential of 192 random bits, and what is kept of it. Letters, digits, `_` and `-` only: Logplex hands
 * `%40` on as it is, and a colon in a password stops it for good.
 */
export function createCredential(): { credential: string; hash: Buffer } {
  const credential = PREFIX + randomBytes(RANDOM_BYTES).toString('base64url')
  return { credential, hash: hashOf(credential) }
}

function hashOf(credential: string): Buffer {
  return createHash('sha256').update(credential).digest()
}

/** Is one of these the drain's credential, or the one that it had before and that still counts? */
export function isAdmitted(drain: DrainRow, given: readonly string[]): boolean {
  const hashes = [drain.credential_hash, drain.old_credential_hash].filter((hash) => hash !== null)
  return given.some((credential) => {
    const hash = hashOf(credential)
    return hashes.some((known) => timingSafeEqual(known, hash))
  })
}
