import { CallError, callError, send } from '../call.ts'
import type { TailRequest } from './connection.ts'
import type { Lifeline } from './lifeline.ts'

/**
 * The text of an endless answer as it comes, cut anywhere but inside a character. Nothing is read before it
 * is asked for, so that a slow reader slows the server.
 */
export async function* bodyText(
  request: TailRequest,
  media: string,
  lifeline: Lifeline,
): AsyncGenerator<string, void> {
  const { base, route, params, query } = request
  const headers = { ...request.headers, accept: media }
  const { signal } = lifeline
  const response = await lifeline.arrival(send(base, route, { params, query, headers, signal }))
  if (!response.ok) throw await lifeline.arrival(callError(response))
  requireMedia(response, media)
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const decoder = new TextDecoder()
  while (true) {
    const { done, value } = await lifeline.arrival(reader.read())
    if (done) return
    yield decoder.decode(value, { stream: true })
  }
}

/** An answer from somebody else, such as the page of a proxy, must not look like a tail without records. */
function requireMedia(response: Response, media: string): void {
  const type = response.headers.get('content-type') ?? 'nothing'
  if (type.startsWith(media)) return
  const message = `${response.url} should answer with ${media}, but it is ${type}.`
  throw new CallError(response.status, undefined, message)
}
