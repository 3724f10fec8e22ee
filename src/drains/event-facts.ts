import { timeMs } from './line-time.ts'
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
