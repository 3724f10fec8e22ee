import {
  lineTime,
  isMembers,
  requestOfFields,
  textOf,
  type Members,
  type RequestSeen,
} from './request-seen.ts'

/** Who writes the router's records on Heroku Fir. */
const ROUTER = 'heroku-router'
/** A router's line is far below; a longer text is not looked through. */
const BODY_CHARS = 16_384
const PAIR = /([\w.]+)=(?:"([^"]*)"|(\S*))/g

/** Attributes of OpenTelemetry's conventions, new and old, and the fields of a router's line that they are. */
const ALIASES: Readonly<Record<string, string>> = {
  'http.request.method': 'method',
  'http.method': 'method',
  'http.target': 'path',
  'url.full': 'path',
  'http.url': 'path',
  'http.response.status_code': 'status',
  'http.status_code': 'status',
  'http.response.body.size': 'bytes',
  'http.response.size': 'bytes',
  'http.response_content_length': 'bytes',
  'server.address': 'host',
  'http.host': 'host',
  'url.scheme': 'protocol',
}
const FIELDS = new Set(
  'method path status bytes host protocol dyno service connect code tls'.split(' '),
)
/** In seconds, by the conventions. */
const DURATION = 'http.server.request.duration'

/**
 * A record of Fir's router that came by OTLP. Heroku does not document its attributes, so all of these count, the
 * former more: names of OpenTelemetry's conventions; any name that ends in the word of a router's line
 * (`heroku.router.connect`); the pairs of a body in the old form, `at=info method=GET ...`.
 */
export function requestOfOtlp(value: Members): RequestSeen | undefined {
  const attributes = attributesOf(value['attributes'])
  if (serviceOf(value, attributes) !== ROUTER) return undefined
  const fields = { ...pairsOf(bodyOf(value)), ...fieldsOf(attributes) }
  if (fields['method'] === undefined && fields['path'] === undefined) return undefined
  return requestOfFields(fields, timeOf(value))
}

function serviceOf(value: Members, attributes: Members): unknown {
  const resource = value['resource'] ?? value['resource_attributes']
  const ofResource = isMembers(resource) ? (resource['attributes'] ?? resource) : resource
  return (
    attributesOf(ofResource)['service.name'] ?? attributes['service.name'] ?? value['service.name']
  )
}

/** Attributes as an object, or as OTLP's list of `{key, value: {stringValue}}`. */
function attributesOf(value: unknown): Members {
  if (isMembers(value)) return value
  if (!Array.isArray(value)) return {}
  const pairs = value.filter(isMembers).map((pair) => [textOf(pair['key']), plain(pair['value'])])
  return Object.fromEntries(pairs) as Members
}

/** OTLP's JSON wraps each value in an object that names its type. */
function plain(value: unknown): unknown {
  if (!isMembers(value)) return value
  return Object.entries(value).find(([name]) => /_?value$/i.test(name))?.[1]
}

function fieldsOf(attributes: Members): Members {
  const fields: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(attributes)) {
    const field = ALIASES[name] ?? name.slice(name.lastIndexOf('.') + 1)
    if (FIELDS.has(field)) fields[field] ??= value
    else if (name === DURATION && typeof value === 'number') fields['service'] ??= value * 1000
  }
  return fields
}

function bodyOf(value: Members): string {
  return textOf(plain(value['body'])) || textOf(value['message'])
}

function pairsOf(body: string): Members {
  const fields: Record<string, unknown> = {}
  for (const [, name = '', quoted, bare] of body.slice(0, BODY_CHARS).matchAll(PAIR)) {
    if (FIELDS.has(name)) fields[name] ??= quoted ?? bare
  }
  if (fields['tls'] !== undefined) fields['tls'] = fields['tls'] === 'true'
  return fields
}

const TIMES = ['timestamp', 'time', 'time_unix_nano', 'timeUnixNano', 'observed_timestamp']

function timeOf(value: Members): number | null {
  for (const name of TIMES) {
    const ms = lineTime(value[name])
    // OTLP writes 0 where it does not know.
    if (ms !== null && ms > 0) return ms
  }
  return null
}
