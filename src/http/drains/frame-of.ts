import { createHash, randomUUID } from 'node:crypto'
import type { DrainFormat, DrainHeaders } from '../../drains/format.ts'
import { headerOf } from './decode.ts'

/** What a sender calls a request; repeated requests have the same. */
const ID_HEADERS: Partial<Record<DrainFormat, readonly string[]>> = {
  // log-shuttle names its batches by X-Request-Id; elsewhere proxies invent one for every try.
  logplex: ['logplex-frame-id', 'x-request-id'],
  firehose: ['x-amz-firehose-request-id'],
}

/** The name of a request, and the key that it is stored once under, by a sender with or without names. */
export function nameOf(
  format: DrainFormat,
  headers: DrainHeaders,
  sent: { body: Buffer; dedupe: 'body' | 'content' | 'none' | undefined },
): { id: string | undefined; key: string } {
  const names = [...(ID_HEADERS[format] ?? []), 'idempotency-key']
  for (const name of names) {
    const id = headerOf(headers, name)
    if (id !== undefined) return { id, key: `${name}\n${id}` }
  }
  if (sent.dedupe === 'body') {
    const hash = createHash('sha256').update(sent.body).digest('base64url')
    return { id: undefined, key: `body\n${hash}` }
  }
  // For the tries in here.
  return { id: undefined, key: `once\n${randomUUID()}` }
}
