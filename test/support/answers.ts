import { expect } from 'vitest'
import { send, type CallOptions } from '../../src/client/index.ts'
import { Problem } from '../../src/contract/openapi.ts'
import { PROBLEMS, type FieldError, type ProblemCode } from '../../src/contract/problems.ts'
import type { ResponseOf, Route } from '../../src/contract/route.ts'

/** What came back, from supertest or from a raw socket; a fetch Response is read into one. */
export interface Answer {
  status: number
  headers: Record<string, string>
  text: string
}

async function read(answer: Answer | Response): Promise<Answer> {
  if (!(answer instanceof Response)) return answer
  const headers = Object.fromEntries(answer.headers)
  return { status: answer.status, headers, text: await answer.text() }
}

/** The answer is what the contract says of this route: status, media type, and the schema of the body. */
export async function expectAnswer<R extends Route>(
  route: R,
  answer: Answer | Response,
): Promise<ResponseOf<R>> {
  const { status, headers, text } = await read(answer)
  expect(status, text).toBe(route.status)
  if (route.status === 204) {
    expect(text).toBe('')
    return undefined as ResponseOf<R>
  }
  expect(headers['content-type']).toMatch(/^application\/json(; charset=utf-8)?$/)
  return route.response.parse(JSON.parse(text)) as ResponseOf<R>
}

/** Calls a route with the typed client; the answer must be the one that the contract promises. */
export async function ask<R extends Route>(
  base: string,
  route: R,
  options: CallOptions<R> = {},
): Promise<ResponseOf<R>> {
  return expectAnswer(route, await send(base, route, options))
}

export interface ExpectedProblem {
  /** Of the first entry of `errors`. */
  pointer?: string | RegExp
  in?: FieldError['in']
  written?: 'no'
}

/** The answer is this problem, whole: status, media type and every member. */
export async function expectProblem(
  answer: Answer | Response,
  code: ProblemCode,
  expected: ExpectedProblem = {},
): Promise<Problem> {
  const { status, headers, text } = await read(answer)
  expect({ status, text }).toEqual({ status: PROBLEMS[code].status, text: expect.any(String) })
  expect(headers['content-type']).toMatch(/^application\/problem\+json/)
  const problem = Problem.parse(JSON.parse(text))
  const { title, retriable } = PROBLEMS[code]
  expect(problem).toMatchObject({ code, status, title, retriable, type: `/problems/${code}` })
  expect(problem.detail).not.toBe('')
  expect(problem.hint).not.toBe('')
  if (expected.pointer !== undefined) {
    expect(problem.errors?.[0], problem.detail).toMatchObject({
      in: expected.in ?? 'body',
      pointer:
        typeof expected.pointer === 'string'
          ? expected.pointer
          : expect.stringMatching(expected.pointer),
    })
    expect(problem.errors?.[0]?.detail).not.toBe('')
  }
  if (expected.written !== undefined) expect(problem.written).toBe(expected.written)
  return problem
}
