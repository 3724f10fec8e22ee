import { isUtf8 } from 'node:buffer'
import type { Sender } from './decoded.ts'
import { keyOf, type Gathering } from './gathering.ts'
import type { Origin } from './heads.ts'
import { isPlain } from './json-text.ts'
import {
  anyText,
  attribute,
  attributesText,
  digits,
  hexId,
  nanoTime,
  textOf,
  viewOf,
  type AnyValue,
  type KeyValue,
  type Whole,
} from './otlp-values.ts'
import { shapeText } from './shapes/table.ts'

type Maybe<T> = T | null | undefined

export interface Resource {
  attributes?: Maybe<readonly KeyValue[]>
}

interface Scope extends Resource {
  name?: Maybe<string>
  version?: Maybe<string>
}

interface LogRecord {
  timeUnixNano?: Maybe<Whole>
  observedTimeUnixNano?: Maybe<Whole>
  severityNumber?: Maybe<Whole>
  severityText?: Maybe<string>
  body?: Maybe<AnyValue>
  attributes?: Maybe<readonly KeyValue[]>
  droppedAttributesCount?: Maybe<Whole>
  flags?: Maybe<Whole>
  traceId?: Maybe<Uint8Array | string>
  spanId?: Maybe<Uint8Array | string>
  eventName?: Maybe<string>
}

export interface LogsRequest {
  resourceLogs?: Maybe<
    readonly {
      resource?: Maybe<Resource>
      scopeLogs?: Maybe<
        readonly { scope?: Maybe<Scope>; logRecords?: Maybe<readonly LogRecord[]> }[]
      >
    }[]
  >
}

export interface LogOptions {
  /** The text of some strings has replacement characters where the body had no UTF-8. */
  is_repaired: boolean
  /** Names an event by its content: its value without when it was observed. Undefined: no ids. */
  idOf?: ((identity: string, isTimed: boolean) => string) | undefined
}

/** What speaks for the platform on Heroku's Fir, by service.name: its lines are shaped like those of Cedar's. */
const HEROKU_ORIGINS: Readonly<Record<string, Origin | undefined>> = {
  'heroku-api': 'api',
  'heroku-router': 'router',
  'heroku-runtime': 'dyno',
}
const HEROKU_KINDS: Readonly<Record<string, string | undefined>> = {
  'heroku-api': 'release',
  'heroku-router': 'router',
  'heroku-runtime': 'state',
}

/** Short names of SeverityNumber / 4, for senders that give only the number. */
const SEVERITIES = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL']

/** What all records of a resource and scope have in common. */
interface Surroundings {
  key: string | undefined
  app: string | undefined
  /** Members of the value behind the record's own. */
  head: string[]
  tail: string[]
}

/**
 * One record for each LogRecord, its value
 * `{timestamp,observed,severity,severity_number,app,process,kind,fields,message|body,event_name,attributes,resource,
 * scope,trace_id,span_id,trace_flags,dropped_attributes,flags,raw_base64}`: absent what there is none of, but for
 * the timestamp, which is null. A text body is the message, any other the body.
 */
export function addLogs(
  gathering: Gathering,
  request: LogsRequest,
  sender: Sender,
  options: LogOptions,
): void {
  for (const { resource, scopeLogs } of request.resourceLogs ?? []) {
    for (const { scope, logRecords } of scopeLogs ?? []) {
      const around = surroundings(sender, resource, scope)
      for (const log of logRecords ?? []) addLog(gathering, log, around, options)
    }
  }
}

/** `service.name` and `service.instance.id`. */
export function serviceOf(resource: Maybe<Resource>): {
  app: string | undefined
  process: string | undefined
} {
  return {
    app: attribute(resource?.attributes, 'service.name'),
    process: attribute(resource?.attributes, 'service.instance.id'),
  }
}

function surroundings(
  sender: Sender,
  resource: Maybe<Resource>,
  scope: Maybe<Scope>,
): Surroundings {
  const { app, process } = serviceOf(resource)
  const head: string[] = []
  const tail: string[] = []
  addMember(head, 'app', app && JSON.stringify(app))
  addMember(head, 'process', process && JSON.stringify(process))
  addMember(tail, 'resource', attributesText(resource?.attributes))
  addMember(tail, 'scope', scopeText(scope))
  return { key: keyOf(sender, app, process), app, head, tail }
}

function scopeText(scope: Maybe<Scope>): string | undefined {
  const members: string[] = []
  addMember(members, 'name', scope?.name && JSON.stringify(scope.name))
  addMember(members, 'version', scope?.version && JSON.stringify(scope.version))
  addMember(members, 'attributes', attributesText(scope?.attributes))
  return members.length > 0 ? `{${members.join(',')}}` : undefined
}

/** Adds `"name":text`, unless the text is undefined, null or empty. */
function addMember(members: string[], name: string, text: Maybe<string>): void {
  if (text) members.push(`"${name}":${text}`)
}

function addLog(
  gathering: Gathering,
  log: LogRecord,
  around: Surroundings,
  options: LogOptions,
): void {
  const timestamp = nanoTime(log.timeUnixNano)
  const observed = nanoTime(log.observedTimeUnixNano)
  const flags: string[] = []
  const members = recordMembers(log, around, options, flags)
  if (flags.length > 0) members.push(`"flags":${JSON.stringify(flags)}`)
  const time = `"timestamp":${timestamp ? `"${timestamp}"` : 'null'}`
  const seen = observed ? `"observed":"${observed}"` : ''
  // Agents observe a line again when they start over, so that time is no part of what it is, if it has its own.
  const identity = [timestamp ? time : seen, ...members].join(',')
  const isTimed = timestamp !== undefined || observed !== undefined
  gathering.addJson(`{${[time, ...(seen ? [seen] : []), ...members].join(',')}}`, {
    key: around.key,
    time_ms: timestamp ? Date.parse(`${timestamp.slice(0, -7)}Z`) : undefined,
    id: options.idOf?.(identity, isTimed),
    flagged: flags.length > 0,
  })
}

function recordMembers(
  log: LogRecord,
  { app, head, tail }: Surroundings,
  options: LogOptions,
  flags: string[],
): string[] {
  const members: string[] = []
  const number = digits(log.severityNumber)
  const severity = log.severityText || severityName(number)
  addMember(members, 'severity', severity && JSON.stringify(severity))
  addMember(members, 'severity_number', nonZero(number))
  members.push(...head)
  addBody(members, log.body, { app: app ?? '', options, flags })
  addMember(members, 'event_name', log.eventName && JSON.stringify(log.eventName))
  addMember(members, 'attributes', attributesText(log.attributes))
  members.push(...tail)
  const trace = hexId(log.traceId)
  const span = hexId(log.spanId)
  addMember(members, 'trace_id', trace && JSON.stringify(trace))
  addMember(members, 'span_id', span && JSON.stringify(span))
  addMember(members, 'trace_flags', nonZero(digits(log.flags)))
  addMember(members, 'dropped_attributes', nonZero(digits(log.droppedAttributesCount)))
  return members
}

function nonZero(number: string | undefined): string | undefined {
  return number === '0' ? undefined : number
}

/** 9 is INFO, 10 INFO2. */
function severityName(number: string | undefined): string | undefined {
  const value = Number(number)
  if (!(value >= 1 && value <= 24)) return undefined
  const step = (value - 1) % 4
  return `${SEVERITIES[(value - 1 - step) / 4] ?? ''}${step === 0 ? '' : step + 1}`
}

interface BodyPlace {
  app: string
  options: LogOptions
  flags: string[]
}

function addBody(members: string[], body: Maybe<AnyValue>, place: BodyPlace): void {
  if (body?.stringValue != null) addMessage(members, body.stringValue, place)
  else {
    addMember(members, 'kind', kindText(HEROKU_KINDS[place.app]))
    if (body != null) addMember(members, 'body', anyText(body))
  }
}

function addMessage(
  members: string[],
  text: Uint8Array | string,
  { app, options, flags }: BodyPlace,
): void {
  const message = textOf(text)
  const shape = shapeText(HEROKU_ORIGINS[app] ?? 'app', message, isPlain(message))
  if (shape === '') addMember(members, 'kind', kindText(HEROKU_KINDS[app]))
  else members.push(shape.slice(1))
  members.push(`"message":${JSON.stringify(message)}`)
  const isBytes = typeof text !== 'string' && !isUtf8(text)
  if (isBytes) members.push(`"raw_base64":"${viewOf(text).toString('base64')}"`)
  if (isBytes || (options.is_repaired && message.includes('\ufffd'))) flags.push('not_utf8')
  if (message.includes('\0')) flags.push('nul')
}

function kindText(kind: string | undefined): string | undefined {
  return kind && JSON.stringify(kind)
}
