import { PROBLEMS, type FieldError, type ProblemCode, type Written } from './problems.ts'

export interface ProblemDetails {
  /** For the operator's log; never sent. */
  cause?: unknown
  errors?: readonly FieldError[]
  hint?: string
  written?: Written
  retry_after_s?: number
  /** Further members of the problem object, e.g. `high_watermark`. */
  members?: Readonly<Record<string, unknown>>
}

/** A failure the caller is told of: an entry of the alphabet with a sentence about this case. */
export class ProblemError extends Error {
  readonly code: ProblemCode
  readonly details: ProblemDetails

  constructor(code: ProblemCode, detail: string, details: ProblemDetails = {}) {
    super(detail, { cause: details.cause })
    this.name = 'ProblemError'
    this.code = code
    this.details = details
  }

  get status(): number {
    return PROBLEMS[this.code].status
  }
}

/** A JSON Pointer (RFC 6901) from the names of the steps. */
export function pointerTo(...steps: readonly string[]): string {
  return steps.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** A 400 about one field. `pointer` is a JSON Pointer into that part of the request. */
export function invalidField(
  where: FieldError['in'],
  pointer: string,
  detail: string,
): ProblemError {
  const place = where === 'body' ? pointer || 'the body' : `${where} ${pointer.slice(1)}`
  return new ProblemError('invalid_request', `${place}: ${detail}`, {
    errors: [{ in: where, pointer, detail }],
  })
}
