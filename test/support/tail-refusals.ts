import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect } from 'vitest'
import { PROBLEMS, type FieldError, type ProblemCode } from '../../src/contract/problems.ts'
import { expectProblem, type Answer } from './answers.ts'
import { ACCEPT, openTail, type TailForm } from './tail-reader.ts'

export interface ExpectedRefusal {
  in?: FieldError['in']
  pointer?: string
  headers?: Record<string, string>
}

/** A tail in any form is refused with this problem: as an answer, or as the only message of a WebSocket. */
export async function expectRefused(
  url: string,
  form: TailForm,
  path: string,
  code: ProblemCode,
  expected: ExpectedRefusal = {},
): Promise<void> {
  const { headers = {}, ...place } = expected
  const refuse = form === 'websocket' ? refusedSocket : refusedText
  const problem = await expectProblem(await refuse(url, form, path, headers), code, {
    ...('pointer' in place ? { in: 'query', ...place } : {}),
  })
  expect(problem).not.toHaveProperty('written')
}

async function refusedText(
  url: string,
  form: TailForm,
  path: string,
  headers: Record<string, string>,
): Promise<Answer> {
  const { hostname, port } = new URL(url)
  const accept = ACCEPT[form]
  const request = get({ hostname, port, path, agent: false, headers: { accept, ...headers } })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return {
    status: response.statusCode ?? 0,
    headers: response.headers as Record<string, string>,
    text: await text(response),
  }
}

/** The message as if it had been an answer. */
async function refusedSocket(
  url: string,
  form: TailForm,
  path: string,
  headers: Record<string, string>,
): Promise<Answer> {
  const tail = await openTail(url, form, path, headers)
  const [message, ...more] = await tail.rest()
  expect(more).toEqual([])
  expect(message).toMatchObject({ type: 'problem', position: '' })
  const { code, status } = message as { code: ProblemCode; status: number }
  expect(tail.closed).toEqual({ code: 1008, reason: code })
  const problem = { ...message, type: `/problems/${code}`, position: undefined }
  expect(status).toBe(PROBLEMS[code].status)
  const type = 'application/problem+json'
  return { status, headers: { 'content-type': type }, text: JSON.stringify(problem) }
}
