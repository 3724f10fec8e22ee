import { rawOf, type DrainLine } from '../../src/contract/drain-lines.ts'

/** What a line of Logplex says of itself beside its text. */
interface Head {
  pri?: number
  time?: string
  app?: string
  process?: string
}

/** A line as Logplex writes it, its newline included. */
export function lineOf(text: string, head: Head = {}): string {
  const { pri = 190, time = '2026-11-21T09:41:06.819402+00:00' } = head
  const { app = 'app', process = 'web.1' } = head
  return `<${String(pri)}>1 ${time} host ${app} ${process} - ${text}\n`
}

/** A body of messages, each behind its length in octets. */
export function bodyOf(...messages: (string | Uint8Array)[]): Buffer {
  return Buffer.concat(
    messages.flatMap((message) => {
      const bytes = Buffer.from(message)
      return [Buffer.from(`${String(bytes.length)} `), bytes]
    }),
  )
}

/** A body of lines with these texts. */
export const frameOf = (...texts: string[]): Buffer => bodyOf(...texts.map((text) => lineOf(text)))

/** The bytes of a body, put together again from the values that were made of it. */
export function bodyFrom(values: readonly DrainLine[]): Buffer {
  return Buffer.concat(
    values.flatMap((value) => {
      const raw = rawOf(value)
      const prefix = value.frame_prefix ?? `${String(raw.length)} `
      return [Buffer.from(prefix), raw, Buffer.from(value.frame_suffix ?? '')]
    }),
  )
}
