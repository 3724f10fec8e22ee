import { pino, stdSerializers, type LogFn, type Logger } from 'pino'
import pretty from 'pino-pretty'

export type { Logger } from 'pino'

/** Never in a log: credentials in headers, and in addresses. */
const REDACTED = [
  'authorization',
  'cookie',
  '*.authorization',
  '*.cookie',
  '*.headers.authorization',
  '*.headers.cookie',
  'password',
  '*.password',
  'connectionString',
  '*.connectionString',
  'database_url',
  '*.database_url',
]

/** Greedy up to the last @: a password may hold anything, and hiding a host too many does no harm. */
const URL_CREDENTIALS = /(\w+:\/\/)(?:(?!\w+:\/\/)[^\n])*@/g
const PARAMETER_CREDENTIALS = /([?&](?:ssl)?password=)[^&\s]*/gi

/** A text without the user and password that a URL in it may carry. */
export function withoutCredentials(text: string): string {
  return text.replaceAll(URL_CREDENTIALS, '$1***@').replaceAll(PARAMETER_CREDENTIALS, '$1***')
}

/** The same for all texts in a value, however deep. */
function clean(value: unknown): unknown {
  if (typeof value === 'string') return withoutCredentials(value)
  if (Array.isArray(value)) return value.map(clean)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, clean(member)]))
}

/** pg hangs the whole connection onto its errors, with the key that cancels its queries. */
function serializeError(error: Error): unknown {
  return clean({ ...stdSerializers.err(error), client: undefined })
}

/** Texts of a log call, too: pino makes the message of `log.error(error)` from the error's own. */
function cleanArguments(this: Logger, args: Parameters<LogFn>, method: LogFn): void {
  const [first, ...rest] = args as unknown[]
  const texts = rest.map((text) => (typeof text === 'string' ? withoutCredentials(text) : text))
  if (first instanceof Error) {
    const [message = withoutCredentials(first.message), ...more] = texts
    method.apply(this, [{ err: first }, message, ...more] as Parameters<LogFn>)
  } else {
    const start = typeof first === 'string' ? withoutCredentials(first) : first
    method.apply(this, [start, ...texts] as Parameters<LogFn>)
  }
}

/** JSON lines for machines; on a terminal, lines for people. */
export function createLogger(level: string): Logger {
  const options = {
    level,
    redact: { paths: REDACTED, censor: '***' },
    serializers: { err: serializeError },
    hooks: { logMethod: cleanArguments },
  }
  if (!process.stderr.isTTY) return pino(options, process.stderr)
  return pino(options, pretty({ sync: true, destination: 2, ignore: 'pid,hostname' }))
}
