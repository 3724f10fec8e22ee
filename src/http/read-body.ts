import { createGunzip, createInflate, type Gunzip, type Inflate } from 'node:zlib'
import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LIMITS } from '../contract/limits.ts'
import { ProblemError } from '../contract/problem-error.ts'

/** Bodies arrive as bytes, whatever their content type; each route reads them itself. */
export function readBodiesAsBytes(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (request, payload, done) => {
    const { 'content-encoding': encoding, 'content-length': length } = request.headers
    const { keeps_encoding } = request.routeOptions.config
    const limit = keeps_encoding?.max_bytes ?? LIMITS.body_bytes
    if (Number(length) > limit) done(tooLarge(limit))
    else if (keeps_encoding || encoding === undefined || encoding === 'identity')
      collect(payload, limit, done)
    else decode(payload, encoding, done)
  })
}

/** A media type, RFC 9110, section 8.3.1; what stands behind it is of no matter here. */
const MEDIA_TYPE = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(;|$)/

/**
 * Fastify refuses a Content-Type that is none: empty, `text`, two with a comma between. To a route that takes any body
 * it is as good as none at all.
 */
export function forgetOddType(
  request: FastifyRequest,
  _reply: FastifyReply,
  done: () => void,
): void {
  const { headers } = request
  const type = headers['content-type']
  if (type !== undefined && !MEDIA_TYPE.test(type)) delete headers['content-type']
  done()
}

type Done = (error: Error | null, body?: Buffer) => void

function tooLarge(limit: number): ProblemError {
  return new ProblemError(
    'request_too_large',
    `The body has more than ${limit.toLocaleString('en')} bytes, decompressed.`,
  )
}

/** Gathers a stream's bytes, up to the limit; what comes after that is not kept. */
function collect(stream: Readable, limit: number, done: Done): void {
  const chunks: Buffer[] = []
  let bytes = 0
  let finished = false
  const finish: Done = (error, body) => {
    if (finished) return
    finished = true
    done(error, body)
  }
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= limit) chunks.push(chunk)
    else {
      chunks.length = 0
      finish(tooLarge(limit))
    }
  })
  stream.on('end', () => {
    finish(null, chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, bytes))
  })
  stream.on('error', finish)
}

/** Decompresses while it counts, so that the limit bounds the inflated size. */
function decode(payload: Readable, encoding: string, done: Done): void {
  const inflater = inflaterFor(encoding)
  if (!inflater) {
    const detail = `Content-Encoding ${encoding} is not known here; there are gzip, deflate and identity.`
    const errors = [
      { in: 'header' as const, pointer: '/content-encoding', detail: 'is not known here' },
    ]
    done(new ProblemError('unsupported_media_type', detail, { errors }))
    return
  }
  collect(inflater, LIMITS.body_bytes, (error, body) => {
    payload.unpipe(inflater)
    payload.resume()
    inflater.destroy()
    done(error && !(error instanceof ProblemError) ? notEncoded(encoding, error) : error, body)
  })
  payload.on('error', (error) => inflater.destroy(error))
  payload.pipe(inflater)
}

function notEncoded(encoding: string, error: Error): ProblemError {
  const detail = `is not ${encoding}: ${error.message}`
  return new ProblemError('invalid_request', `The body ${detail}.`, {
    errors: [{ in: 'body', pointer: '', detail }],
  })
}

function inflaterFor(encoding: string): Gunzip | Inflate | undefined {
  switch (encoding.trim().toLowerCase()) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip()
    case 'deflate':
      return createInflate()
    default:
      return undefined
  }
}

/** The body's bytes; empty where there is none. */
export function bodyOf(request: FastifyRequest): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : EMPTY
}
const EMPTY = Buffer.alloc(0)

/** The media type without its parameters, in lower case; empty where there is none. */
export function mediaTypeOf(request: FastifyRequest): string {
  const header = request.headers['content-type']
  if (header === undefined) return ''
  const end = header.indexOf(';')
  return (end === -1 ? header : header.slice(0, end)).trim().toLowerCase()
}
