import { ProblemError } from '../../contract/problem-error.ts'
import { isSignedBy } from '../../drains/vercel.ts'
import type { DrainRow } from '../../store/drains.ts'
import { isAdmitted } from './credentials.ts'

/** What a request shows to be let in. */
export interface Given {
  credentials: readonly string[]
  /** Of the body as it was sent, the way Vercel signs. */
  signature: string | undefined
  body: Buffer
}

/** Throws 401 unless the sender has the drain's credential, or has signed the body with its vercel_secret. */
export function requireAdmission(drain: DrainRow, { credentials, signature, body }: Given): void {
  if (isAdmitted(drain, credentials)) return
  const secret = drain.config.vercel_secret
  if (signature === undefined || secret === undefined) {
    throw unauthorized(`The credential is not one of the drain ${drain.name}.`)
  }
  if (isSignedBy(body, signature, secret)) return
  throw unauthorized('The signature does not fit the body and the vercel_secret of the drain.')
}

function unauthorized(detail: string): ProblemError {
  return new ProblemError('unauthorized', detail, { written: 'no' })
}
