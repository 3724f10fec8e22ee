import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { LIMITS } from '../../contract/limits.ts'
import { ProblemError } from '../../contract/problem-error.ts'

type Inflate = (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>

const gunzip = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gunzip)
const inflate = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.inflate)
/** Node has it from 22.15 on. */
const { zstdDecompress } = zlib as unknown as { zstdDecompress?: typeof zlib.gunzip }

const OUTPUT = { maxOutputLength: LIMITS.drain_body_bytes }

/**
 * The body as it was before it was compressed. Gzip is known by its first bytes, as some senders do not say so and
 * others say so of what is none. What says it is compressed and cannot be inflated stays as it came: it is kept.
 */
export async function inflated(body: Buffer, encoding: string | undefined): Promise<Buffer> {
  const how = inflaterFor(body, encoding?.trim().toLowerCase() ?? 'identity')
  if (!how) return body
  try {
    return await how(body, OUTPUT)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge()
    return body
  }
}

function inflaterFor(body: Buffer, encoding: string): Inflate | undefined {
  if (body[0] === 0x1f && body[1] === 0x8b) return gunzip
  if (encoding === 'deflate') return inflate
  if (encoding === 'zstd') {
    if (zstdDecompress) return promisify<Buffer, zlib.ZlibOptions, Buffer>(zstdDecompress)
    throw unknown(encoding)
  }
  if (['identity', '', 'gzip', 'x-gzip'].includes(encoding)) return undefined
  throw unknown(encoding)
}

/**
 * For Firehose's records, each of which may be gzip: undefined where one is none, or too large. All that it gives together is
 * at most LIMITS.drain_body_bytes, as a request may hold hundreds of bombs that are each just below that.
 */
export function gunzipper(): (bytes: Buffer) => Buffer | undefined {
  let left: number = LIMITS.drain_body_bytes
  return (bytes) => {
    try {
      const plain = zlib.gunzipSync(bytes, { maxOutputLength: Math.max(left, 1) })
      left -= plain.length
      return plain
    } catch {
      return undefined
    }
  }
}

function tooLarge(): ProblemError {
  const limit = LIMITS.drain_body_bytes.toLocaleString('en')
  return new ProblemError(
    'request_too_large',
    `The body has more than ${limit} bytes, decompressed.`,
    { written: 'no', hint: 'Let the sender make smaller batches.' },
  )
}

function unknown(encoding: string): ProblemError {
  return new ProblemError(
    'unsupported_media_type',
    `Content-Encoding ${encoding} is not known here; there are gzip, deflate and identity.`,
    {
      written: 'no',
      errors: [{ in: 'header', pointer: '/content-encoding', detail: 'is not known here' }],
      hint: 'Set the compression of the sender to gzip.',
    },
  )
}
