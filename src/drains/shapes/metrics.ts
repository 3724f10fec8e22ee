import { isNumberText, quote } from '../json-text.ts'
import { readLogfmt, type Pair } from '../logfmt.ts'

/** l2met's four kinds of metrics, and the member of the fields that has them by name. */
const GROUPS: ReadonlyMap<string, string> = new Map([
  ['sample', 'samples'],
  ['count', 'counts'],
  ['measure', 'measures'],
  ['unique', 'uniques'],
])
const RESERVED = new Set([...GROUPS.values(), 'units'])

const METRIC = /(?:^| )(?:sample|count|measure|unique)#/
const WITH_UNIT = /^(-?\d+(?:\.\d+)?)([A-Za-z%][A-Za-z0-9%/_-]{0,31})$/

/**
 * JSON text of a line of metrics, l2met's convention: `source=web.1 sample#memory_total=201.71MB measure#db=12ms`
 * gives `{"source":"web.1","samples":{"memory_total":201.71},"measures":{"db":12},"units":{"memory_total":"MB","db":"ms"}}`.
 * Undefined where the line has no metric.
 */
export function metricFields(message: string, is_plain: boolean): string | undefined {
  if (!message.includes('#') || !METRIC.test(message)) return undefined
  const parts = new Map<string, string>()
  let own = ''
  for (const pair of readLogfmt(message, { has_escapes: true, is_plain }).pairs) {
    const hash = pair.key.indexOf('#')
    const group = hash > 0 ? GROUPS.get(pair.key.slice(0, hash)) : undefined
    if (group) addMetric(parts, group, pair, pair.key.slice(hash + 1))
    else if (!RESERVED.has(pair.key)) own += `${quote(pair.key)}:${textOf(pair.value)},`
  }
  const groups = [...parts].map(([group, members]) => `"${group}":{${members}}`)
  return parts.size > 0 ? `{${own}${groups.join(',')}}` : undefined
}

function addMetric(parts: Map<string, string>, group: string, pair: Pair, name: string): void {
  const match = WITH_UNIT.exec(pair.value)
  const number = match?.[1] ?? pair.value
  if (!isNumberText(number)) {
    addMember(parts, group, name, textOf(pair.value))
    return
  }
  addMember(parts, group, name, number)
  if (match?.[2] !== undefined) addMember(parts, 'units', name, quote(match[2]))
}

function addMember(parts: Map<string, string>, group: string, name: string, json: string): void {
  const before = parts.get(group)
  parts.set(group, `${before === undefined ? '' : `${before},`}${quote(name)}:${json}`)
}

function textOf(value: string): string {
  return value === '' ? 'null' : quote(value)
}
