import { parseTimestamp } from '../records/timestamp.ts'
import type { Sender } from './decoded.ts'
import { keyOf, type Facts } from './gathering.ts'
import { Members } from './members.ts'

/**
 * Where an event says what it is of, the best first. Written by: Vector (appname, procid, host, source_type), its
 * kubernetes and docker sources; Fly's shipper (fly.*); Dokku (label.com.dokku.*); Fluent Bit (kubernetes.*, date);
 * syslog-ng's format-json (PROGRAM, PID, HOST, ISODATE); ECS (service.*, host.*, process.*, @timestamp); Netlify
 * (site_name, log_type); Cloudflare Logpush (ZoneName, EdgeStartTimestamp); Northflank, Render and others.
 */
const WELL_KNOWN = new Members({
  app: [
    'app',
    'app_name',
    'appname',
    'application',
    'fly.app.name',
    'label.com.dokku.app-name',
    'service',
    'service.name',
    'service_name',
    'kubernetes.labels.app.kubernetes.io/name',
    'kubernetes.labels.app',
    'kubernetes.pod_labels.app',
    'kubernetes.namespace_name',
    'kubernetes.pod_namespace',
    'PROGRAM',
    'program',
    'ident',
    'site_name',
    'ZoneName',
    'container_name',
    'host',
    'host.name',
    'hostname',
    'HOST',
    'source',
  ],
  process: [
    'procid',
    'fly.app.instance',
    'label.com.dokku.process-type',
    'process',
    'instance',
    'service.instance.id',
    'kubernetes.pod_name',
    'PID',
    'pid',
    'process.pid',
    'log_type',
  ],
  time: [
    'timestamp',
    '@timestamp',
    'time',
    'ts',
    'date',
    'datetime',
    'ISODATE',
    'EdgeStartTimestamp',
  ],
})

/** What can be told of the JSON object at `at`, which the scanner has passed over. */
export function eventFacts(sender: Sender, bytes: Buffer, at: number): Facts {
  const { app, process, time } = WELL_KNOWN.read(bytes, at)
  return {
    key: keyOf(sender, app, process),
    time_ms: time === undefined ? undefined : timeMs(time),
  }
}

/** Numbers below each bound are in seconds, ms, us and ns: all of them are times from 1973 to 5138. */
const UNITS: readonly (readonly [bound: number, perMs: number])[] = [
  [1e11, 1e-3],
  [1e14, 1],
  [1e17, 1e3],
  [1e20, 1e6],
]

/** The commonest form of a time: its whole second, and a fraction. */
const PLAIN = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,12}))?Z$/
/** The last second that was read: events of a body share few, and reading one took as long as the event itself. */
const last = { second: '', ms: undefined as number | undefined }

/** Epoch ms of RFC 3339 text or of a number of any usual unit; undefined for anything else. */
export function timeMs(text: string): number | undefined {
  if (/^\d[\d.eE+]*$/.test(text)) {
    const number = Number(text)
    const unit = UNITS.find(([bound]) => number < bound)
    return unit && Math.floor(number / unit[1])
  }
  const [, second, fraction = ''] = PLAIN.exec(text) ?? []
  if (second === undefined) return parseTimestamp(text)
  if (second !== last.second) {
    last.second = second
    last.ms = parseTimestamp(`${second}Z`)
  }
  return last.ms === undefined ? undefined : last.ms + Number(fraction.slice(0, 3).padEnd(3, '0'))
}
