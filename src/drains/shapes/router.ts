import { isNumberText, quote } from '../json-text.ts'
import { quoteValue, readLogfmt, type Pair } from '../logfmt.ts'

/** How the text of a value becomes JSON text. */
type Type = (pair: Pair) => string

/** The fields that routers have, with their names as JSON text. Which there are, and their order, is no contract. */
const FIELDS: ReadonlyMap<string, { name: string; type: Type }> = new Map(
  Object.entries({
    ...{ at: quoteValue, code: quoteValue, desc: quoteValue, cause: quoteValue, sock: quoteValue },
    ...{ method: quoteValue, path: quoteValue, host: quoteValue, request_id: quoteValue },
    ...{ fwd: quoteValue, dyno: quoteValue, connect: msText, service: msText },
    ...{ status: integerText, bytes: integerText, protocol: quoteValue },
    ...{ tls: booleanText, tls_version: quoteValue },
  }).map(([name, type]) => [name, { name: `"${name}":`, type }]),
)

function pairsOf(message: string, is_plain: boolean): Pair[] {
  return readLogfmt(message, { has_escapes: false, is_plain }).pairs
}

/** A request that went well, as nearly all lines are; nothing in it is empty, and nothing needs escaping. */
const USUAL = new RegExp(
  [
    '^at=info method=([A-Z]+) path="([^"]+)" host=([^\\s"=]+) request_id=([^\\s"=]+) fwd="([^"]+)" dyno=([^\\s"=]+)',
    ' connect=(0|[1-9]\\d{0,8})ms service=(0|[1-9]\\d{0,8})ms status=([1-9]\\d{2}) bytes=(0|[1-9]\\d{0,14})',
    ' protocol=([^\\s"=]+)(?: tls=(true|false) tls_version=([^\\s"=]+))?$',
  ].join(''),
)

/** What routerFields gives for such a line, in a fifth of the time; undefined for another one. */
function usualFields(message: string): string | undefined {
  const match = USUAL.exec(message)
  if (!match) return undefined
  const [, method, path, host, id, fwd, dyno, connect, service, status, bytes, protocol] = match
  const tls =
    match[12] === undefined ? '' : `,"tls":${match[12]},"tls_version":"${match[13] ?? ''}"`
  return (
    `{"at":"info","method":"${method}","path":"${path}","host":"${host}","request_id":"${id}","fwd":"${fwd}",` +
    `"dyno":"${dyno}","connect":${connect},"service":${service},"status":${status},"bytes":${bytes},` +
    `"protocol":"${protocol}"${tls}}`
  )
}

/**
 * JSON text of the fields of a router line, legacy or 2.0, of H-codes as well: key=value in any order, values
 * in quotes with any byte but a quote, empty ones null. Undefined where it is another line.
 */
export function routerFields(message: string, is_plain: boolean): string | undefined {
  return (is_plain ? usualFields(message) : undefined) ?? anyFields(message, is_plain)
}

function anyFields(message: string, is_plain: boolean): string | undefined {
  if (!message.includes('at=')) return undefined
  let json = ''
  let known = 0
  for (const pair of pairsOf(message, is_plain)) {
    const field = FIELDS.get(pair.key)
    if (field) known++
    const text = pair.value === '' ? 'null' : (field?.type ?? quoteValue)(pair)
    json += (json === '' ? '{' : ',') + (field?.name ?? `${quote(pair.key)}:`) + text
  }
  return known >= LEAST_FIELDS ? `${json}}` : undefined
}
/** The platform's other lines about routing have none. */
const LEAST_FIELDS = 3

/** Does a router line tell of a request to this host and path, whatever its query? */
export function isRequestTo(message: string, own: { host: string; path: string }): boolean {
  if (!message.includes(own.path)) return false
  let host: string | undefined
  let path: string | undefined
  for (const { key, value } of pairsOf(message, false)) {
    if (key === 'host') host = value.toLowerCase()
    else if (key === 'path') path = value.split('?', 1)[0]
  }
  return host === own.host.toLowerCase() && path === own.path
}

function msText({ value }: Pair): string {
  const number = value.endsWith('ms') ? value.slice(0, -2) : value
  return isNumberText(number) ? number : 'null'
}

function integerText({ value }: Pair): string {
  return isNumberText(value) && !value.includes('.') ? value : 'null'
}

function booleanText({ value }: Pair): string {
  return value === 'true' || value === 'false' ? value : 'null'
}
