import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Decoded, Sender } from './decoded.ts'
import { timeMs } from './line-time.ts'
import { Gathering, keyOf, type Facts } from './gathering.ts'
import { addValue, readJson } from './json-events.ts'
import { Members } from './members.ts'

const LOG = new Members({
  id: ['id'],
  app: ['projectName', 'projectId', 'host', 'deploymentId'],
  /** build, edge, lambda, static, external, firewall, redirect. */
  source: ['source'],
  time: ['timestamp'],
})

/**
 * Vercel's log drain: an array, NDJSON or one object. A value is the log as it was sent, with its `proxy`; its key
 * is project/source; ids are Vercel's own, where every log of the body has one.
 */
export function decodeVercel(body: Buffer, sender: Sender): Decoded {
  const gathering = new Gathering()
  readJson(gathering, body, sender, {
    form: 'ndjson',
    value: (from, to) => addValue(gathering, body.subarray(from, to), logFacts(sender, body, from)),
  })
  return gathering.decoded()
}

function logFacts(sender: Sender, body: Buffer, at: number): Facts {
  const { id, app, source, time } = LOG.read(body, at)
  return {
    key: keyOf(sender, app, source),
    id,
    time_ms: time === undefined ? undefined : timeMs(time),
  }
}

/**
 * Has this body been signed with this secret? `signature`: what x-vercel-signature (once x-zeit-signature) says,
 * the HMAC-SHA1 of the raw body in hexadecimal digits. Takes as long for a wrong one as for the right one.
 */
export function isSignedBy(body: Buffer, signature: string, secret: string): boolean {
  const expected = createHmac('sha1', secret).update(body).digest()
  if (!/^[0-9a-f]{40}$/i.test(signature)) return false
  return timingSafeEqual(expected, Buffer.from(signature, 'hex'))
}
