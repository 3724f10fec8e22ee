import type { FastifyRequest } from 'fastify'
import type { Given } from '../../broker/drains/admission.ts'
import { bodyOf } from '../read-body.ts'
import { headerOf } from './decode.ts'

/** What a request shows to be let in. */
export function givenBy(request: FastifyRequest): Given {
  const { headers } = request
  return {
    credentials: credentialsOf(request),
    signature: headerOf(headers, 'x-vercel-signature') ?? headerOf(headers, 'x-zeit-signature'),
    body: bodyOf(request),
  }
}

/**
 * What a sender shows as its credential. Logplex makes the user of `https://:secret@host` and the password of
 * `https://logs:secret@host` Basic; others can set Bearer, Firehose its access key, and some nothing but the URL.
 */
function credentialsOf(request: FastifyRequest): string[] {
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
