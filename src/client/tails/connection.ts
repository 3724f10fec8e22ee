import type { Route } from '../../contract/route.ts'
import type { TailControl, TailedRecord } from '../../contract/tails.ts'
import type { Lifeline } from './lifeline.ts'

/** What the three forms have in common: what one connection is asked for, and what it brings. */

export interface TailRequest {
  base: string
  route: Route
  params: { topic?: string }
  /** Without `from` once there is a position. */
  query: Record<string, string | number | undefined>
  /** Where to go on; each form has its own place for it. */
  position: string | undefined
  headers: Record<string, string>
}

/** Records in their order. `position` is behind the last of them, where the form says it. */
export interface TailBatch {
  type: 'records'
  records: readonly TailedRecord[]
  position?: string | undefined
}

export type TailMessage = TailBatch | TailControl

/**
 * Opens a connection and gives what it brings, asking for more only when it is asked for more. Returns when
 * the connection ends, which may be too early; throws where it breaks.
 */
export type TailForm = (
  request: TailRequest,
  lifeline: Lifeline,
) => AsyncGenerator<TailMessage, void>

/** Reads a message. What is neither JSON nor an object is not a lost connection but a wrong server. */
export function parseMessage(text: string): TailMessage | TailedRecord {
  try {
    const message: unknown = JSON.parse(text)
    if (typeof message === 'object' && message !== null)
      return message as TailMessage | TailedRecord
  } catch {
    // Told below, with what it was.
  }
  throw new Error(`The tail brought what is no message: ${text.slice(0, 100)}`)
}

/** Everything else has a `type`. */
export function isRecord(message: TailMessage | TailedRecord): message is TailedRecord {
  return !('type' in message)
}
