import type { FastifyRequest } from 'fastify'
import type { Broker } from '../../broker/broker.ts'
import { admitted } from '../../broker/drains/admission.ts'
import { findDrain, readingTurn, type DrainRow } from '../../broker/drains/receive.ts'
import { bodyOf } from '../read-body.ts'
import { headerOf } from './decode.ts'
import { givenBy } from './given-credentials.ts'
import { inflated } from './inflate.ts'

/** A request that may be read now, synchronously. */
export interface TakenIn {
  drain: DrainRow
  /** As it was sent, and as it was before it was compressed. */
  raw: Buffer
  body: Buffer
}

/**
 * Finds the drain, sees that the sender may use it, and waits for its body's turn, for up to `holdMs` while the
 * database is away. `found` is told of the drain before the sender is let in.
 */
export async function takeIn(
  broker: Broker,
  request: FastifyRequest,
  { drain: name, holdMs }: { drain: string; holdMs: number },
  found?: (drain: DrainRow) => void,
): Promise<TakenIn> {
  const known = await findDrain(broker, name, holdMs)
  found?.(known)
  const drain = await admitted(broker.drains, known, givenBy(request))
  const raw = bodyOf(request)
  const body = await inflated(raw, headerOf(request.headers, 'content-encoding'))
  await readingTurn(broker, body.length, holdMs)
  return { drain, raw, body }
}
