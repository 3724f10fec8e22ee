import type { OtlpEncoding } from './otlp.ts'
import { RPC_STATUS } from './otlp-schema.ts'

export interface OtlpAnswer {
  content_type: string
  body: Buffer
}

const CONTENT_TYPES: Readonly<Record<OtlpEncoding, string>> = {
  json: 'application/json',
  protobuf: 'application/x-protobuf',
}

/**
 * The answer to a request of which everything was taken: an empty ExportLogsServiceResponse, or the metrics' or
 * traces' one, which is the same for all of them.
 */
export function otlpResponse(encoding: OtlpEncoding): OtlpAnswer {
  return {
    content_type: CONTENT_TYPES[encoding],
    body: Buffer.from(encoding === 'json' ? '{}' : ''),
  }
}

/** Codes of google.rpc.Code that a refusal of ours may have. */
export const RPC_CODES = {
  invalid_argument: 3,
  permission_denied: 7,
  resource_exhausted: 8,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const

/** The answer to a request that was refused: a google.rpc.Status. */
export function otlpError(
  encoding: OtlpEncoding,
  code: keyof typeof RPC_CODES,
  message: string,
): OtlpAnswer {
  const status = { code: RPC_CODES[code], message }
  const body =
    encoding === 'json'
      ? Buffer.from(JSON.stringify(status))
      : Buffer.from(RPC_STATUS.encode(RPC_STATUS.create(status)).finish())
  return { content_type: CONTENT_TYPES[encoding], body }
}
