import type { DrainLine } from '../../contract/drain-lines.ts'
import { gapFields, readGap } from '../gaps.ts'
import type { Origin } from '../heads.ts'
import { jsonFields, logfmtFields } from './app.ts'
import { errorFields, processFields, stateFields } from './dyno.ts'
import { metricFields } from './metrics.ts'
import { postgresLogFields } from './postgres.ts'
import { releaseFields } from './release.ts'
import { routerFields } from './router.ts'

/** What reads a line's fields as JSON text; undefined where it is of another kind. */
type Read = (message: string, is_plain: boolean) => string | undefined
type Shape = readonly [NonNullable<DrainLine['kind']>, Read]

const BY_APPS: readonly Shape[] = [
  ['json', jsonFields],
  ['l2met', metricFields],
  ['logfmt', logfmtFields],
]

const gapText = (message: string) => {
  const gap = readGap(message)
  return gap && gapFields(gap)
}

/** Which shapes the lines of an origin may have; the first that fits. All of them refuse by the first bytes. */
const SHAPES: Readonly<Record<Origin, readonly Shape[]>> = {
  api: [
    ['release', releaseFields],
    ['process', processFields],
  ],
  app: BY_APPS,
  dyno: [
    ['state', stateFields],
    ['process', processFields],
    ['error', errorFields],
    ['runtime_metrics', metricFields],
  ],
  logplex: [
    ['gap', gapText],
    ['error', errorFields],
  ],
  postgres: [['postgres', metricFields], ['postgres', postgresLogFields], ...BY_APPS],
  redis: [['redis', metricFields], ...BY_APPS],
  router: [
    ['router', routerFields],
    ['error', errorFields],
  ],
}

/** Of longer lines no fields are taken out: Logplex's have 10,000 bytes at most. */
const MESSAGE_CHARS = 16 * 1024

/** `,"kind":…,"fields":…` of a line in a known shape, or nothing; `is_plain` is what isPlain says of it. */
export function shapeText(origin: Origin, message: string, is_plain: boolean): string {
  if (message.length > MESSAGE_CHARS) return ''
  for (const [kind, read] of SHAPES[origin]) {
    const fields = read(message, is_plain)
    if (fields !== undefined && fields !== '') return `,"kind":"${kind}","fields":${fields}`
  }
  return ''
}
