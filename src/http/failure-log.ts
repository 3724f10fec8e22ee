import type { FastifyBaseLogger } from 'fastify'
import type { ProblemError } from '../contract/problem-error.ts'
import type { ProblemCode } from '../contract/problems.ts'

/** Each code is logged at most once in this time; an outage would fill the disk with thousands a second. */
const PAUSE_MS = 1_000

interface Silence {
  until: number
  suppressed: number
}

const silences = new Map<ProblemCode, Silence>()

/** Logs a failure of the server, with its cause; while many of a kind come, one a second and a count. */
export function logFailure(log: FastifyBaseLogger, problem: ProblemError, instance: string): void {
  const err = problem.details.cause ?? problem
  if (problem.code === 'internal_error') {
    // Each of these is a bug, and may be another one.
    log.error({ err, code: problem.code, instance }, problem.message)
    return
  }
  const now = performance.now()
  const silence = silences.get(problem.code) ?? { until: 0, suppressed: 0 }
  if (now < silence.until) silence.suppressed++
  else {
    const { message } = err as Error
    log.warn(
      { cause: message, code: problem.code, suppressed: silence.suppressed },
      problem.message,
    )
    silence.until = now + PAUSE_MS
    silence.suppressed = 0
  }
  silences.set(problem.code, silence)
}
