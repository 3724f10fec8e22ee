import { FACILITIES, LINE_FLAGS, SEVERITIES } from '../contract/drain-lines.ts'
import type { SyslogLine } from './syslog.ts'

/** JSON texts of members that few values have: made once. */

/** A bit for each flag: lines mostly have none, and some have three. */
export const Flag = {
  bad_count: 1,
  not_syslog: 2,
  not_utf8: 4,
  no_newline: 8,
  bad_time: 16,
  split: 32,
  cut: 64,
  nul: 128,
} as const satisfies Record<(typeof LINE_FLAGS)[number], number>

/** Those of lines that were not understood, or are not as announced. The others only say how a line is kept. */
export const NOT_UNDERSTOOD = Flag.bad_count | Flag.not_syslog | Flag.not_utf8 | Flag.bad_time

const FLAGS_TEXT: readonly string[] = Array.from({ length: 256 }, (_, flags) => {
  const names = LINE_FLAGS.filter((name) => (flags & Flag[name]) !== 0)
  return flags === 0 ? '' : `,"flags":${JSON.stringify(names)}`
})

/** `,"flags":[…]`, or nothing. */
export function flagsText(flags: number): string {
  return FLAGS_TEXT[flags] ?? ''
}

const PRI_TEXT: readonly string[] = Array.from(
  { length: 192 },
  (_, pri) =>
    `"facility":"${FACILITIES[pri >> 3] ?? ''}","severity":"${SEVERITIES[pri & 7] ?? ''}",`,
)

/** Of a line that is not syslog: nothing is known but its text. */
const NOTHING_KNOWN = '"timestamp":null,"app":"","process":""'

/** `"timestamp":…,"facility":…,"severity":…,"app":…,"process":…`, without the braces around. */
export function headText(line: SyslogLine | undefined): string {
  if (!line) return NOTHING_KNOWN
  // Only digits, letters and `:.+-` make a time.
  const time = line.timestamp === null ? 'null' : `"${line.timestamp}"`
  return `"timestamp":${time},${PRI_TEXT[line.pri] ?? ''}${line.head.names}`
}
