import { z } from 'zod'

/** The value of a record that was made from a log line, and how its bytes come back out of it. */

/** RFC 5424, table 1; the index is the number in PRI divided by 8. */
export const FACILITIES = [
  ...['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'clock'],
  ...['authpriv', 'ftp', 'ntp', 'audit', 'alert', 'cron'],
  ...['local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
] as const

/** RFC 5424, table 2; the index is the remainder of PRI divided by 8. */
export const SEVERITIES = [
  ...['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'],
] as const

/** The shapes of lines whose fields are taken out. */
const LINE_KINDS = [
  ...['error', 'gap', 'json', 'l2met', 'logfmt', 'postgres', 'process', 'redis'],
  ...['release', 'router', 'runtime_metrics', 'state'],
] as const

/** What is odd about a line; in the order in which they are given. */
export const LINE_FLAGS = [
  ...['bad_count', 'not_syslog', 'not_utf8', 'no_newline', 'bad_time', 'split', 'cut', 'nul'],
] as const

const Fields = z.record(z.string(), z.json()).meta({
  description:
    'What the line says, typed: numbers without their units, booleans, null for what is empty. Of `router`: at, method, path, host, request_id, fwd, dyno, connect and service (ms), status, bytes, protocol, tls, tls_version, code, desc, cause, sock, and what else it names. Of `gap`: code, dropped (lines), since. Of metrics: source, addon, dyno, and samples, counts, measures, uniques by name, with their `units`.',
  example: { at: 'info', method: 'GET', path: '/', service: 12, status: 200 },
})

const FLAGS_MEAN = [
  '`bad_count`: its octet count is wrong or missing',
  '`not_syslog`: not RFC 5424, all of it is `message`',
  '`not_utf8`: the text has replacement characters, the bytes are in `raw_base64`',
  '`no_newline`: the message ends without one',
  '`bad_time`: what stands for its time is none',
  '`split`: the text has 10,000 bytes and no newline, so it goes on in another line',
  '`cut`: too long for one record, see `part`',
  '`nul`: the text has U+0000',
].join('; ')

const line = {
  timestamp: z.string().nullable().meta({
    description: 'As the sender wrote it (RFC 3339); null where it wrote none, or no time.',
    example: '2026-11-21T18:22:01.123456+00:00',
  }),
  facility: z.enum(FACILITIES).optional(),
  severity: z.enum(SEVERITIES).optional(),
  app: z.string().meta({ description: 'Empty where the line names none.', example: 'app' }),
  process: z.string().meta({ description: 'Empty where the line names none.', example: 'web.1' }),
  message: z.string().meta({
    description: 'The text, without its one final newline.',
    example: 'listening on port 5000',
  }),
  host: z.string().optional().meta({ description: 'Only where it is not `host`.' }),
  msgid: z.string().optional().meta({ description: 'Only where it is not `-`.' }),
  structured_data: z.string().optional().meta({ description: 'As sent, where there is some.' }),
  kind: z.enum(LINE_KINDS).optional().meta({ description: 'Of a line in a known shape.' }),
  fields: Fields.optional(),
  flags: z
    .array(z.enum(LINE_FLAGS))
    .min(1)
    .optional()
    .meta({ description: `What is odd about it. ${FLAGS_MEAN}.` }),
  raw: z.string().optional().meta({
    description:
      'The message as sent, where it is not `<pri>1 timestamp host app process - message` and a newline.',
  }),
  raw_base64: z
    .base64()
    .optional()
    .meta({ description: 'The same, where its bytes are not UTF-8.' }),
  frame_prefix: z.string().optional().meta({
    description: 'What stood in front of it, where that is not its length in octets and a space.',
  }),
  frame_suffix: z
    .string()
    .optional()
    .meta({ description: 'White space behind it that its octet count does not cover.' }),
  part: z
    .strictObject({ index: z.number().int().min(0), of: z.number().int().min(2) })
    .optional()
    .meta({
      description:
        'Which piece of a line this is that was too long for one record; the pieces follow each other, each with its own bytes as raw.',
    }),
}

export const DrainLine = z.strictObject(line).meta({
  id: 'DrainLine',
  description:
    'A log line from a drain. A body can be put together again from its lines: `frame_prefix`, or else the length and a space; the bytes of the message; `frame_suffix`.',
})
export type DrainLine = z.infer<typeof DrainLine>

/** The members of a line that its bytes are made of. */
type Sent = Pick<DrainLine, 'timestamp' | 'app' | 'process' | 'message'> &
  Partial<Pick<DrainLine, 'facility' | 'severity' | 'host' | 'raw' | 'raw_base64'>>

/**
 * The bytes of the message as it was sent, without the octet count in front of it: `raw` or `raw_base64`
 * where the line has one, else the canonical form made of its members.
 */
export function rawOf(value: Sent): Uint8Array {
  if (value.raw_base64 !== undefined) {
    return Uint8Array.from(atob(value.raw_base64), (char) => char.charCodeAt(0))
  }
  return new TextEncoder().encode(value.raw ?? canonicalForm(value))
}

function canonicalForm(value: Sent): string {
  const facility = value.facility === undefined ? 0 : FACILITIES.indexOf(value.facility)
  const severity = value.severity === undefined ? 0 : SEVERITIES.indexOf(value.severity)
  const names = [value.host ?? 'host', value.app || '-', value.process || '-'].join(' ')
  return `<${facility * 8 + severity}>1 ${value.timestamp ?? '-'} ${names} - ${value.message}\n`
}
