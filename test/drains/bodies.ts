import { DrainLine, rawOf } from '../../src/contract/drain-lines.ts'
import type { Decoded, Sender } from '../../src/drains/decoded.ts'
import { decodeLogplex, type LogplexOptions } from '../../src/drains/logplex.ts'

/** Bodies of drains, made and taken apart again. */

export const TIME = '2026-11-21T18:22:01.123456+00:00'

/** A message as Logplex writes it, with its newline. */
export function line(text: string, names = 'app web.1', pri = 190): string {
  return `<${pri}>1 ${TIME} host ${names} - ${text}\n`
}

/** A message with its octet count. */
export function frame(message: string | Buffer): Buffer {
  const bytes = Buffer.from(message as string)
  return Buffer.concat([Buffer.from(`${bytes.length} `), bytes])
}

/** Frames back to back, without separators. */
export function framed(...messages: (string | Buffer)[]): Buffer {
  return Buffer.concat(messages.map(frame))
}

export function decode(
  body: Buffer | string,
  options: Partial<LogplexOptions> = {},
  sender: Sender = { source: undefined },
): Decoded {
  return decodeLogplex(Buffer.from(body as string), sender, { is_logplex: true, ...options })
}

/** The values of records; each must be what the contract says. */
export function valuesOf({ records }: Decoded): DrainLine[] {
  return records.map((record) => {
    const { value } = JSON.parse(record) as { value: unknown }
    return DrainLine.parse(value)
  })
}

/** The value of a body with one line in it. */
export function valueOf(message: string | Buffer, options: Partial<LogplexOptions> = {}) {
  const values = valuesOf(decode(framed(message), options))
  if (values.length !== 1) throw new Error(`${values.length} records`)
  return values[0]!
}

export function keysOf({ records }: Decoded): unknown[] {
  return records.map((record) => (JSON.parse(record) as { key: unknown }).key)
}

/** The body that these lines came in. */
export function rebuilt(values: readonly DrainLine[]): Buffer {
  return Buffer.concat(
    values.flatMap((value) => {
      const raw = Buffer.from(rawOf(value))
      const prefix = Buffer.from(value.frame_prefix ?? `${raw.length} `)
      return [prefix, raw, Buffer.from(value.frame_suffix ?? '')]
    }),
  )
}
