import { request } from 'node:http'
import { text } from 'node:stream/consumers'

/** A request that the server certainly has in hand. */
export interface RequestUnderWay {
  /** Sends the body and reads the answer. */
  finish: (body?: string) => Promise<{ status: number; text: string }>
}

/**
 * Sends a request's head and resolves once the server has taken it in, which it says with 100 Continue.
 * That a later request was answered proves nothing of an earlier one on another connection.
 */
export function beginRequest(url: string, method = 'GET'): Promise<RequestUnderWay> {
  return new Promise((resolve, reject) => {
    const sending = request(url, { method, agent: false, headers: { expect: '100-continue' } })
    const answer = new Promise<{ status: number; text: string }>((answered, failed) => {
      sending.on('error', failed)
      sending.on('response', (response) => {
        text(response).then(
          (body) => answered({ status: response.statusCode ?? 0, text: body }),
          failed,
        )
      })
    })
    answer.catch(reject)
    sending.on('continue', () => {
      resolve({
        finish: (body) => {
          sending.end(body)
          return answer
        },
      })
    })
    sending.flushHeaders()
  })
}
