import type { FastifyRequest } from 'fastify'
import { isAdmitted } from '../../broker/drains/credentials.ts'
import { ProblemError } from '../../contract/problem-error.ts'
import { isSignedBy } from '../../drains/vercel.ts'
import type { DrainRow } from '../../store/drains.ts'

/**
 * What a sender shows as its credential. Logplex makes the user of `https://:secret@host` and the password of
 * `https://logs:secret@host` Basic; others can set Bearer, Firehose its access key, and some nothing but the URL.
 */
export function givenCredentials(request: FastifyRequest): string[] {
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

/** Throws 401 unless the sender has the drain's credential, or has signed the body as Vercel does. */
export function requireAdmission(request: FastifyRequest, drain: DrainRow, body: Buffer): void {
  if (isAdmitted(drain, givenCredentials(request))) return
  const signature = request.headers['x-vercel-signature'] ?? request.headers['x-zeit-signature']
  const secret = drain.config.vercel_secret
  if (typeof signature === 'string' && secret !== undefined) {
    if (isSignedBy(body, signature, secret)) return
    throw unauthorized('The signature does not fit the body and the vercel_secret of the drain.')
  }
  throw unauthorized(`The credential is not one of the drain ${drain.name}.`)
}

function unauthorized(detail: string): ProblemError {
  return new ProblemError('unauthorized', detail, { written: 'no' })
}
