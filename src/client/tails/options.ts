import type { TailControl } from '../../contract/tails.ts'
import type { WebSocketConstructor } from './socket.ts'

/** Where a tail begins, what it leaves out and where it ends; and how it travels. */
export interface TailOptions {
  /** `earliest`, `latest` (the default), `-N`, RFC 3339, epoch milliseconds or a position. */
  from?: string
  /** Only these, of a tail of one topic. */
  partitions?: readonly number[]
  /** Only records with this key. */
  key?: string
  /** End after this many records. */
  max_records?: number
  /** `latest` ends where the log ends now; a position, RFC 3339 or epoch milliseconds end there. */
  until?: string
  on_truncated?: 'continue' | 'end'
  /**
   * All three bring the same; the default is `ndjson`. A WebSocket cannot see why an upgrade was refused by
   * what stands before the server, and tries again.
   */
  form?: 'ndjson' | 'sse' | 'websocket'
  /** Sent with each request; not possible with WebSocket in browsers. */
  headers?: Record<string, string>
  /** Ends the tail: what awaits it is thrown the signal's reason. */
  signal?: AbortSignal
  /** Told of each control message. */
  control?: (message: TailControl) => void
  /** Told when the connection was lost and when it will be tried again. */
  retrying?: (error: unknown, delayMs: number) => void
  /** Where there is no global WebSocket (Node 20): that of a package, such as ws. */
  WebSocket?: WebSocketConstructor
}
