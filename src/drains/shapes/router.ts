import { isNumberText, quote } from '../json-text.ts'
import { readLogfmt, type Pair } from '../logfmt.ts'

/** Fields of a router line that are not texts. Which fields there are, and their order, is no contract. */
const TYPES: ReadonlyMap<string, (value: string) => string> = new Map([
  ['connect', msText],
  ['service', msText],
  ['status', integerText],
  ['bytes', integerText],
  ['tls', booleanText],
])

const NO_ESCAPES = { has_escapes: false }

function pairsOf(message: string): Pair[] {
  return readLogfmt(message, NO_ESCAPES).pairs
}

/**
 * JSON text of the fields of a router line, legacy or 2.0, of H-codes as well: key=value in any order, values
 * in quotes with any byte but a quote, empty ones null. Undefined where it is another line.
 */
export function routerFields(message: string): string | undefined {
  if (!message.includes('at=')) return undefined
  let json = ''
  let known = 0
  for (const { key, value } of pairsOf(message)) {
    if (key === 'at' || key === 'method' || key === 'path' || key === 'code') known++
    const type = TYPES.get(key)
    const text = value === '' ? 'null' : type ? type(value) : quote(value)
    json += `${json === '' ? '{' : ','}${quote(key)}:${text}`
  }
  return known >= 2 ? `${json}}` : undefined
}

/** Does a router line tell of a request to this host and path, whatever its query? */
export function isRequestTo(message: string, own: { host: string; path: string }): boolean {
  if (!message.includes(own.path)) return false
  let host: string | undefined
  let path: string | undefined
  for (const { key, value } of pairsOf(message)) {
    if (key === 'host') host = value.toLowerCase()
    else if (key === 'path') path = value.split('?', 1)[0]
  }
  return host === own.host.toLowerCase() && path === own.path
}

function msText(value: string): string {
  const number = value.endsWith('ms') ? value.slice(0, -2) : value
  return isNumberText(number) ? number : 'null'
}

function integerText(value: string): string {
  return isNumberText(value) && !value.includes('.') ? value : 'null'
}

function booleanText(value: string): string {
  return value === 'true' || value === 'false' ? value : 'null'
}
