import {
  lineTime,
  methodOf,
  numberOf,
  statusOf,
  textOf,
  type Members,
  type RequestSeen,
} from './request-seen.ts'

/** Longer ids are none: they would be kept. */
const ID_CHARS = 128

/**
 * An event of Vercel's with a `proxy` (vercel.com/docs/drains/reference/logs). Each line that a function writes has
 * the proxy of its request, so the request's id says which are one. A `proxy.statusCode` of -1 is a revalidation in the
 * background, which nobody asked for, unless the event's own says -1: then the function crashed.
 */
export function requestOfProxy(event: Members, proxy: Members): RequestSeen | undefined {
  const crashed = event['statusCode'] === -1
  if (proxy['statusCode'] === -1 && !crashed) return undefined
  return {
    at_ms: lineTime(proxy['timestamp']) ?? lineTime(event['timestamp']),
    method: methodOf(proxy['method']),
    path: textOf(proxy['path']),
    dyno: '',
    status: statusOf(proxy['statusCode']),
    service_ms: null,
    connect_ms: null,
    bytes: numberOf(proxy['responseByteSize']) ?? 0,
    code: '',
    protocol: textOf(proxy['scheme']),
    host: textOf(proxy['host']),
    tls: proxy['scheme'] === undefined ? null : proxy['scheme'] === 'https',
    request: idOf(proxy['vercelId']) ?? idOf(event['requestId']),
  }
}

function idOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= ID_CHARS ? value : undefined
}
