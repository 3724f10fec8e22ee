import { quote } from '../json-text.ts'

/** `[DATABASE] [12-3]  sql_error_code = 00000 LOG:  duration: 1.5 ms …`; the name came later than the rest. */
const QUERY_LOG =
  /^(?:\[([A-Z][A-Z0-9_]{0,99})\] +)?\[(\d{1,9})-(\d{1,9})\] *(?:sql_error_code = (\w{5}) +)?(?:([A-Z]+[0-9]?): )?/
const DURATION = /^ *duration: (\d{1,12}(?:\.\d{1,6})?) ms/

/**
 * JSON text of a line of Postgres' own log: source, entry and part (lines of one entry are `[12-1]`, `[12-2]`,
 * each in a frame of its own), and of its first one sql_error_code, level and duration_ms, if there.
 */
export function postgresLogFields(message: string): string | undefined {
  const match = QUERY_LOG.exec(message)
  if (!match) return undefined
  const [head, source, entry, part, code, level] = match
  const duration = DURATION.exec(message.slice(head.length, head.length + 100))?.[1]
  return (
    `{"source":${source === undefined ? 'null' : quote(source)},"entry":${Number(entry)},"part":${Number(part)}` +
    (code === undefined ? '' : `,"sql_error_code":${quote(code)}`) +
    (level === undefined ? '' : `,"level":${quote(level)}`) +
    (duration === undefined ? '' : `,"duration_ms":${Number(duration)}`) +
    '}'
  )
}
