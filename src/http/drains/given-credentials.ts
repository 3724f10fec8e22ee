import type { FastifyRequest } from 'fastify'
import { isAdmitted } from '../../broker/drains/credentials.ts'
import { unknownDrain } from '../../broker/drains/drain-directory.ts'
import type { Drains } from '../../broker/drains/drains-broker.ts'
import { ProblemError } from '../../contract/problem-error.ts'
import { isSignedBy } from '../../drains/vercel.ts'
import type { DrainRow } from '../../store/drains.ts'
import { bodyOf } from '../read-body.ts'

/**
 * What a sender shows as its credential. Logplex makes the user of `https://:secret@host` and the password of
 * `https://logs:secret@host` Basic; others can set Bearer, Firehose its access key, and some nothing but the URL.
 */
function givenCredentials(request: FastifyRequest): string[] {
  const { authorization, 'x-amz-firehose-access-key': accessKey } = request.headers
  const { credential } = request.query as { credential?: unknown }
  return [...fromAuthorization(authorization), accessKey, credential].filter(
    (given): given is string => typeof given === 'string' && given !== '',
  )
}

function fromAuthorization(header: string | undefined): string[] {
  const [, scheme = '', rest = ''] = /^(\w+) +(\S+)$/.exec(header ?? '') ?? []
  if (scheme.toLowerCase() === 'bearer') return [rest]
  if (scheme.toLowerCase() !== 'basic') return []
  const pair = Buffer.from(rest, 'base64').toString()
  const colon = pair.indexOf(':')
  return colon === -1 ? [pair] : [pair.slice(0, colon), pair.slice(colon + 1)]
}

/**
 * The drain, if the sender has its credential or has signed the body as Vercel does; throws 401 otherwise. One that
 * does not fit may be newer than what this node knows: another may have given it out a moment ago, and a sender that
 * is answered 401 drops what it sent. So the database is asked before that.
 */
export async function admitted(
  { drains: { directory } }: { drains: Pick<Drains, 'directory'> },
  request: FastifyRequest,
  known: DrainRow,
): Promise<DrainRow> {
  if (refusalOf(request, known) === undefined) return known
  const latest = await directory.latest(known.name)
  if (!latest) throw unknownDrain(known.name, 'no')
  const refusal = refusalOf(request, latest)
  if (refusal !== undefined) throw new ProblemError('unauthorized', refusal, { written: 'no' })
  return latest
}

/** Why the sender is not let in. */
function refusalOf(request: FastifyRequest, drain: DrainRow): string | undefined {
  if (isAdmitted(drain, givenCredentials(request))) return undefined
  const signature = request.headers['x-vercel-signature'] ?? request.headers['x-zeit-signature']
  const secret = drain.config.vercel_secret
  if (typeof signature === 'string' && secret !== undefined) {
    if (isSignedBy(bodyOf(request), signature, secret)) return undefined
    return 'The signature does not fit the body and the vercel_secret of the drain.'
  }
  return `The credential is not one of the drain ${drain.name}.`
}
