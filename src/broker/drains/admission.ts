import { ProblemError } from '../../contract/problem-error.ts'
import { isSignedBy } from '../../drains/vercel.ts'
import type { DrainRow } from '../../store/drains.ts'
import { isAdmitted } from './credentials.ts'
import { unknownDrain, type DrainDirectory } from './drain-directory.ts'

/** What a request shows to be let in. */
export interface Given {
  credentials: readonly string[]
  /** Of the body as it was sent, the way Vercel signs. */
  signature: string | undefined
  body: Buffer
}

/**
 * The drain, if the sender has its credential or has signed the body with its vercel_secret; throws 401 otherwise. A
 * credential that does not fit may be newer than what this node knows: another may have given it out a moment ago, and
 * a sender that is answered 401 drops what it sent. So the database is asked before that.
 */
export async function admitted(
  { directory }: { directory: DrainDirectory },
  known: DrainRow,
  given: Given,
): Promise<DrainRow> {
  if (refusalOf(known, given) === undefined) return known
  const latest = await directory.latest(known.name)
  if (!latest) throw unknownDrain(known.name, 'no')
  const refusal = refusalOf(latest, given)
  if (refusal !== undefined) throw new ProblemError('unauthorized', refusal, { written: 'no' })
  return latest
}

/** Why the sender is not let in. */
function refusalOf(drain: DrainRow, { credentials, signature, body }: Given): string | undefined {
  if (isAdmitted(drain, credentials)) return undefined
  const secret = drain.config.vercel_secret
  if (signature === undefined || secret === undefined) {
    return `The credential is not one of the drain ${drain.name}.`
  }
  if (isSignedBy(body, signature, secret)) return undefined
  return 'The signature does not fit the body and the vercel_secret of the drain.'
}
